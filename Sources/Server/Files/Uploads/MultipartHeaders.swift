/// What the headers of a part of a form say.
struct MultipartHeaders: Equatable {
    /// The field's name.
    var name: String
    /// `nil` for fields that are no files.
    var fileName: String?

    init(name: String, fileName: String? = nil) {
        self.name = name
        self.fileName = fileName
    }

    /// - Parameter bytes: the lines between boundary and content, each behind a line end.
    init(_ bytes: ArraySlice<UInt8>) throws(MultipartParser.Fault) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw MultipartParser.Fault(description: "the headers of a part of the form are not UTF-8")
        }
        // Folded lines are obsolete and come from nobody.
        let lines = text.split(separator: "\r\n")
        let prefix = "content-disposition:"
        guard let line = lines.first(where: { $0.lowercased().hasPrefix(prefix) }) else {
            throw MultipartParser.Fault(description: "a part of the form has no Content-Disposition")
        }
        let parameters = Self.parameters(line.dropFirst(prefix.count))
        guard let name = parameters["name"] else {
            throw MultipartParser.Fault(description: "a part of the form has no name")
        }
        self.name = name
        fileName = parameters["filename*"].flatMap(Self.extended) ?? parameters["filename"]
    }

    /// The parameters behind the first semicolon: `form-data; name="image"; filename="x.png"`.
    static func parameters(_ text: Substring) -> [String: String] {
        var values: [String: String] = [:]
        var rest = text.drop { $0 != ";" }.dropFirst()
        while !rest.isEmpty {
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest[name.endIndex...]
            guard rest.first == "=" else {
                rest = rest.drop { $0 != ";" }.dropFirst()
                continue
            }
            rest = rest.dropFirst()
            let value: String
            if rest.first == "\"" {
                value = quotedString(&rest)
                rest = rest.drop { $0 != ";" }
            } else {
                let plain = rest.prefix { $0 != ";" }
                value = String(plain.trimming { $0 == " " || $0 == "\t" })
                rest = rest[plain.endIndex...]
            }
            rest = rest.dropFirst()
            let key = name.trimming { $0 == " " || $0 == "\t" }.lowercased()
            if values[key] == nil { values[key] = value }
        }
        return values
    }

    /// A quoted string. Command line tools escape quotes by a backslash, browsers as `%22` and leave backslashes alone
    /// (WHATWG HTML, "multipart/form-data encoding"): so a backslash escapes a quote or another backslash only.
    private static func quotedString(_ rest: inout Substring) -> String {
        var value = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst(), character != "\"" {
            if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                value.append(next)
                rest = rest.dropFirst()
            } else {
                value.append(character)
            }
        }
        return value.replacing("%22", with: "\"")
    }

    /// `UTF-8''na%C3%AFve.png` (RFC 8187).
    private static func extended(_ text: String) -> String? {
        let parts = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
        return PercentDecoding.decode(parts[2])
    }

    /// The boundary out of a `Content-Type`; `nil` when it is no form with files.
    static func boundary(_ contentType: String?) -> String? {
        guard let contentType, contentType.lowercased().hasPrefix("multipart/form-data") else { return nil }
        return parameters(Substring(contentType))["boundary"]
    }
}
