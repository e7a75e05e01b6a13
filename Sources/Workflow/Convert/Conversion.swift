public import Images
public import JSON
public import NodeKit

/// Where a conversion finds the node types that this program has. Asked once per type and conversion.
public typealias SchemaSource = (String) -> NodeSchema?

/// How a front-end file is turned into a ``Prompt``.
public struct ConversionOptions: Sendable {
    /// Decides the choice in `{a|b}` texts and the "random" seeds that front ends draw when they queue a prompt. Equal
    /// files with equal seeds give equal prompts; a program that wants a fresh choice passes a random number.
    public var promptSeed: UInt64
    /// The time for `%date:…%` in file names; `nil` for now.
    public var date: LocalTime?

    public init(promptSeed: UInt64 = 0, date: LocalTime? = nil) {
        self.promptSeed = promptSeed
        self.date = date
    }
}

/// A workflow ready to run.
public struct Conversion: Sendable {
    public var prompt: Prompt
    /// What was decided or guessed on the way, in the order of the file.
    public var notes: [ConversionNote]
    /// What the file says of model files; empty where there was only a prompt.
    public var modelFiles = ModelFileHints()
    /// The file in front-end format as it was, for the metadata of pictures; `nil` where there was only a prompt.
    public var workflow: JSON?
}

/// Something a user may want to know about a conversion.
public struct ConversionNote: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The node type is unknown; its widget names were taken from the file.
        case guessed
        /// The node type is unknown and the file does not name its widgets; their values were left out.
        case unnamedValues
        /// A value that the file lacks and that has no default.
        case missingValue
        /// An input whose link leads to a node that is switched off, or in a circle.
        case unconnected
        /// A choice among `{a|b}`.
        case dynamicPrompt
        /// A number drawn for a "random" seed.
        case seed
        /// A definition that is missing or that the file contradicts.
        case definition
        /// A link made by a broadcast (cg-use-everywhere).
        case broadcast
    }

    public var kind: Kind
    /// The id of the node in the prompt.
    public var node: String
    public var classType: String
    public var message: String

    /// The notes as texts, those that say the same of several nodes of a type in one.
    public static func grouped(_ notes: [ConversionNote]) -> [String] {
        struct Key: Hashable {
            var classType: String
            var message: String
        }
        var order: [Key] = []
        var nodes: [Key: [String]] = [:]
        for note in notes {
            let key = Key(classType: note.classType, message: note.message)
            if nodes[key] == nil { order.append(key) }
            nodes[key, default: []].append(note.node)
        }
        return order.map { key in
            let ids = nodes[key] ?? []
            guard ids.count > 1 else {
                return ids.first?.isEmpty == false
                    ? "node \(ids[0]) (\(key.classType)): \(key.message)" : key.message
            }
            let shown = ids.prefix(12).joined(separator: ", ") + (ids.count > 12 ? ", … \(ids.count) in all" : "")
            return "nodes \(shown) (\(key.classType)): \(key.message)"
        }
    }

    public var description: String { node.isEmpty ? message : "node \(node) (\(classType)): \(message)" }
}
