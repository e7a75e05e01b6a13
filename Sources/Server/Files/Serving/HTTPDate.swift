/// Dates of HTTP headers (RFC 9110 §5.6.7), to the second.
struct HTTPDate: Hashable, Comparable, CustomStringConvertible {
    /// Since 1970.
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    /// The second in which a time in nanoseconds lies.
    init(nanoseconds: Int) { seconds = (Double(nanoseconds) / 1e9).rounded(.down).wholeNumber }

    static func < (a: HTTPDate, b: HTTPDate) -> Bool { a.seconds < b.seconds }

    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`; the year is at least 0 and at most 9999.
    var description: String {
        let bounded = Swift.min(Swift.max(seconds, -62_167_219_200), 253_402_300_799)
        let day = bounded >= 0 ? bounded / 86400 : (bounded - 86399) / 86400
        let time = bounded - day * 86400
        let (year, month, date) = CivilDate.fromDays(day)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let years = String(year)
        return "\(Self.days[((day % 7) + 7) % 7]), \(two(date)) \(Self.months[month - 1]) "
            + String(repeating: "0", count: 4 - years.count) + years
            + " \(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60)) GMT"
    }

    /// The form that everybody sends; the two that RFC 9110 calls obsolete are not understood, so that a condition with
    /// them does not hold.
    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT", let day = Int(words[1]),
            let month = Self.months.firstIndex(of: String(words[2])), let year = Int(words[3]),
            (0...9999).contains(year),
            (1...31).contains(day)
        else { return nil }
        let time = words[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2]) else {
            return nil
        }
        seconds =
            CivilDate.toDays(year: year, month: month + 1, day: day) * 86400 + time[0] * 3600 + time[1] * 60 + time[2]
    }
}

/// Dates of the Gregorian calendar as days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
enum CivilDate {
    static func fromDays(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    static func toDays(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension Double {
    /// The whole number that this is; the nearest there is for others.
    fileprivate var wholeNumber: Int { Int(exactly: self) ?? (self < 0 ? .min : .max) }
}
