import Images

extension LocalTime {
    /// The date in the front end's format language: yyyy, yy, and M, d, h, m, s, repeated for leading zeros; all other
    /// characters stand for themselves.
    func text(_ format: String) -> String {
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
