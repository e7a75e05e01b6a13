import JSON
public import NodeKit

/// What the reference's own nodes take and give, for reading workflow files whose nodes this program does not have.
///
/// A line of the table is `TYPE;OUTPUTS;INPUTS`, with `;o` behind for output nodes. Inputs are separated by `|` and
/// written `NAMES:TYPE=DEFAULT!FLAGS`, with `?` before optional ones. NAMES are one or more of equal kind, separated by
/// commas; `{0-18}` in a name stands for the numbers from 0 to 18. TYPE is I, F, S, B, C (INT, FLOAT, STRING, BOOLEAN,
/// combo) or a socket type. FLAGS: c control_after_generate, d dynamicPrompts, f forceInput, u an upload button.
public enum ReferenceNodes {
    /// The schema of a node of the reference: names, order, types, defaults. It has no texts, limits or choices, so it
    /// serves to read files, not to validate them.
    public static func schema(_ type: String) -> NodeSchema? {
        lines[type].flatMap { parse($0) }
    }

    /// All node types of the table, in order.
    public static var types: [String] { lines.keys.sorted() }

    private static let lines: [String: Substring] = {
        // Bytes, not characters: the table is read at start-up.
        var result: [String: Substring] = [:]
        for line in table.utf8.split(separator: UInt8(ascii: "\n")) {
            if let name = line.split(separator: UInt8(ascii: ";"), maxSplits: 1).first {
                result[String(Substring(name))] = Substring(line)
            }
        }
        return result
    }()

    private static func parse(_ line: Substring) -> NodeSchema? {
        let fields = line.split(separator: ";", omittingEmptySubsequences: false)
        guard fields.count >= 3 else { return nil }
        let name = String(fields[0])
        return NodeSchema(
            id: name, displayName: name, category: "", isOutput: fields.count > 3,
            inputs: fields[2].split(separator: "|").flatMap(inputs),
            outputs: fields[1].split(separator: ",").map { OutputSchema(name: String($0), type: String($0)) })
    }

    /// The inputs of one entry.
    private static func inputs(_ entry: Substring) -> [InputSchema] {
        let isOptional = entry.first == "?"
        let entry = isOptional ? entry.dropFirst() : entry
        guard let colon = entry.firstIndex(of: ":") else { return [] }
        var rule = entry[entry.index(after: colon)...]
        var options = JSONObject()
        if let mark = rule.lastIndex(of: "!") {
            for flag in rule[rule.index(after: mark)...] {
                switch flag {
                case "c": options["control_after_generate"] = .bool(true)
                case "d": options["dynamicPrompts"] = .bool(true)
                case "f": options["forceInput"] = .bool(true)
                case "u": options["image_upload"] = .bool(true)
                default: break
                }
            }
            rule = rule[..<mark]
        }
        var defaultText: Substring?
        if let equals = rule.firstIndex(of: "=") {
            defaultText = rule[rule.index(after: equals)...]
            rule = rule[..<equals]
        }
        let kind: InputSchema.Kind
        switch rule {
        case "I": kind = .type("INT")
        case "F": kind = .type("FLOAT")
        case "S": kind = .type("STRING")
        case "B": kind = .type("BOOLEAN")
        case "C": kind = .choice(.fixed([]))
        default: kind = .type(String(rule))
        }
        if let defaultText {
            let isText = rule == "S" || rule == "C"
            options["default"] = isText ? .string(String(defaultText)) : try? JSON(parsing: String(defaultText))
        }
        return entry[..<colon].split(separator: ",").flatMap(names).map {
            InputSchema(name: $0, kind: kind, isOptional: isOptional, options: options)
        }
    }

    /// The names that `double_blocks.{0-18}.` stands for.
    private static func names(_ pattern: Substring) -> [String] {
        guard let open = pattern.firstIndex(of: "{"), let close = pattern.lastIndex(of: "}") else {
            return [String(pattern)]
        }
        let limits = pattern[pattern.index(after: open)..<close].split(separator: "-").compactMap { Int($0) }
        guard limits.count == 2, limits[0] <= limits[1] else { return [String(pattern)] }
        return (limits[0]...limits[1]).map { "\(pattern[..<open])\($0)\(pattern[pattern.index(after: close)...])" }
    }
}
