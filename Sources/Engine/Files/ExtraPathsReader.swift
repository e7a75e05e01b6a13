/// Reads the small part of YAML that `extra_model_paths.yaml` files use.
struct ExtraPathsReader {
    struct Entry {
        var key: String
        var lines: [String]
    }

    struct Section {
        var name: String
        var values: [Entry]
    }

    let file: String

    private struct Line {
        var number: Int
        var indent: Int
        /// Without indentation and white space at the end.
        var text: Substring
    }

    func read(_ text: String) throws(FileError) -> [Section] {
        var sections: [Section] = []
        var lines = try significantLines(text)[...]
        while let line = lines.first {
            guard line.indent == 0 else { throw fault(line, "is indented, but belongs to no section") }
            lines.removeFirst()
            let (name, value) = try keyAndValue(line)
            guard value.isEmpty else {
                throw fault(line, "is no section: expected \"name:\" with indented lines below")
            }
            guard !sections.contains(where: { $0.name == name }) else { throw fault(line, "repeats a section") }
            sections.append(Section(name: name, values: try entries(&lines)))
        }
        return sections
    }

    /// The lines that belong to one section.
    private func entries(_ lines: inout ArraySlice<Line>) throws(FileError) -> [Entry] {
        var entries: [Entry] = []
        guard let indent = lines.first?.indent, indent > 0 else { return [] }
        while let line = lines.first, line.indent > 0 {
            guard line.indent == indent else { throw fault(line, "is indented differently from the lines above") }
            lines.removeFirst()
            let (key, value) = try keyAndValue(line)
            guard !entries.contains(where: { $0.key == key }) else { throw fault(line, "repeats a key") }
            var paths: [String] = []
            switch value {
            case "|", "|-", "|+", ">", ">-":
                while let below = lines.first, below.indent > indent {
                    lines.removeFirst()
                    paths.append(try scalar(below.text, below))
                }
            case "":
                while let below = lines.first, below.indent >= indent, below.text.hasPrefix("- ") {
                    lines.removeFirst()
                    paths.append(try scalar(below.text.dropFirst(2), below))
                }
            default: paths = [try scalar(value, line)]
            }
            entries.append(Entry(key: key, lines: paths.filter { !$0.isEmpty }))
        }
        return entries
    }

    /// Lines with content. Comments end at the line even inside `|`: the files that ComfyUI ships have them there.
    private func significantLines(_ text: String) throws(FileError) -> [Line] {
        var lines: [Line] = []
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let body = withoutComment(raw).trimming { $0 == " " || $0 == "\t" }
            if body.isEmpty || body == "---" { continue }
            let line = Line(number: index + 1, indent: raw.prefix { $0 == " " }.count, text: body)
            if raw.dropFirst(line.indent).first == "\t" {
                throw fault(line, "is indented with a tab; YAML wants spaces")
            }
            lines.append(line)
        }
        return lines
    }

    private func withoutComment(_ line: Substring) -> Substring {
        var quote: Character?
        var previous: Character = " "
        for index in line.indices {
            let character = line[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if (character == "\"" || character == "'") && previous == " " {
                quote = character
            } else if character == "#" && previous.isWhitespace {
                return line[..<index]
            }
            previous = character
        }
        return line
    }

    private func keyAndValue(_ line: Line) throws(FileError) -> (key: String, value: Substring) {
        var colon: Substring.Index?
        for index in line.text.indices where line.text[index] == ":" {
            let next = line.text.index(after: index)
            if next == line.text.endIndex || line.text[next].isWhitespace {
                colon = index
                break
            }
        }
        guard let colon else { throw fault(line, "is not understood: expected \"key: value\"") }
        let key = try scalar(line.text[..<colon], line)
        guard !key.isEmpty else { throw fault(line, "has no key before its colon") }
        return (key, line.text[line.text.index(after: colon)...].trimming { $0.isWhitespace })
    }

    /// A plain or quoted text.
    private func scalar(_ raw: Substring, _ line: Line) throws(FileError) -> String {
        let text = raw.trimming { $0.isWhitespace }
        guard let first = text.first else { return "" }
        if first == "\"" || first == "'" {
            guard text.count >= 2, text.last == first else { throw fault(line, "has an unpaired quotation mark") }
            return String(text.dropFirst().dropLast())
        }
        if "{[&*!%@`".contains(first) {
            throw fault(line, "uses \"\(first)\", a part of YAML that is not supported here; expected a path")
        }
        return String(text)
    }

    private func fault(_ line: Line, _ reason: String) -> FileError {
        FileError(file, "line \(line.number) \(reason): \(shortened(String(line.text)))")
    }
}
