import Glibc

/// A local date and time, for `%date:…%` in file names.
public struct CalendarDate: Sendable, Hashable {
    public var year: Int
    /// 1 to 12.
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The present local time.
    public static var now: CalendarDate {
        var clock = time(nil)
        var parts = unsafe tm()
        unsafe localtime_r(&clock, &parts)
        return unsafe CalendarDate(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
    }

    /// The date in the front end's format language: yyyy, yy, and M, d, h, m, s, repeated for leading zeros; all other
    /// characters stand for themselves.
    public func text(_ format: String) -> String {
        var out = ""
        var rest = Array(format.unicodeScalars)[...]
        while let letter = rest.first {
            let run = rest.prefix { $0 == letter }
            let value: Int? =
                switch letter {
                case "d": day
                case "M": month
                case "h": hour
                case "m": minute
                case "s": second
                default: nil
                }
            if let value {
                out += Self.padded(value, run.count)
                rest = rest.dropFirst(run.count)
            } else if letter == "y", run.count >= 4 {
                out += Self.padded(year, 4)
                rest = rest.dropFirst(4)
            } else if letter == "y", run.count == 2 {
                out += Self.padded(year % 100, 2)
                rest = rest.dropFirst(2)
            } else {
                out.unicodeScalars.append(letter)
                rest = rest.dropFirst()
            }
        }
        return out
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
