import JSON
import Models

/// `graphrun inspect`: what a model file holds.
enum Inspection {
    static func print(_ file: String, asJSON: Bool, _ console: any Console) throws {
        let found = try ModelInspection(path: file)
        if asJSON {
            console.print(json(found).text(.pretty))
            return
        }
        console.print("\(found.path): \(count(found.parameters)) parameters in \(found.tensors) tensors")
        for part in found.parts {
            console.print("  \(part.kind): \(part.description) (\(count(part.parameters)) parameters)")
        }
        for (type, elements) in found.types { console.print("  \(type): \(count(elements))") }
        for (key, value) in found.metadata.sorted(by: { $0.key < $1.key }) {
            console.print("  metadata \(key): \(value.count > 100 ? value.prefix(100) + "…" : value[...])")
        }
    }

    private static func json(_ found: ModelInspection) -> JSON {
        var types = JSONObject()
        for (type, elements) in found.types { types[type] = .int(Int64(elements)) }
        var metadata = JSONObject()
        for (key, value) in found.metadata { metadata[key] = .string(value) }
        return .object([
            "file": .string(found.path), "parameters": .int(Int64(found.parameters)),
            "tensors": .int(Int64(found.tensors)),
            "parts": .array(
                found.parts.map { part in
                    .object([
                        "kind": .string(part.kind), "description": .string(part.description),
                        "parameters": .int(Int64(part.parameters)),
                    ])
                }),
            "types": .object(types), "metadata": .object(metadata),
        ])
    }

    /// 12345678 → "12.3 million"
    private static func count(_ number: Int) -> String {
        func tenths(_ unit: Int) -> String { "\(number / unit).\(number % unit * 10 / unit)" }
        return number >= 1_000_000_000
            ? tenths(1_000_000_000) + " billion" : number >= 1_000_000 ? tenths(1_000_000) + " million" : String(number)
    }
}
