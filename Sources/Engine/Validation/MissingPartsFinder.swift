import JSON
import NodeKit
import OrderedCollections
import Workflow

/// Collects what a prompt names and the installation lacks. What is named often is listed once, with all its nodes.
struct MissingPartsFinder {
    /// More different ones than any real workflow has; what comes after them is left out.
    private static let limit = 2000

    let registry: NodeRegistry
    let lists: ChoiceLists
    let files: any NodeFiles
    let hints: ModelFileHints
    private(set) var parts = MissingParts()
    private var typePlaces: [String: Int] = [:]
    private var filePlaces: [FileKey: Int] = [:]

    private struct FileKey: Hashable {
        var name: String
        var folder: String?
    }

    init(registry: NodeRegistry, lists: ChoiceLists, files: any NodeFiles, hints: ModelFileHints) {
        self.registry = registry
        self.lists = lists
        self.files = files
        self.hints = hints
    }

    mutating func add(_ id: String, _ node: PromptNode, isNeeded: Bool) {
        if let definition = registry[node.classType] {
            if isNeeded { addFiles(of: id, node, definition.schema) }
            return
        }
        addType(id, node, isNeeded: isNeeded)
        guard isNeeded else { return }
        for (input, value) in node.inputs {
            guard case .literal(let json) = value, case .string(let name) = json else { continue }
            guard
                let folder = ModelFileNames.folder(classType: node.classType, input: input, value: json)
                    ?? (ModelFileNames.isModelFile(name) ? "" : nil)
            else { continue }
            addGuess(name, folder, id, node.classType, input)
        }
    }

    /// Files that an unknown node names in values which could not be converted.
    mutating func add(_ mention: ModelFileHints.Mention) {
        let folder = ModelFileNames.folder(
            classType: mention.classType, input: nil, value: .string(mention.name))
        addGuess(mention.name, folder ?? "", mention.node, mention.classType, nil)
    }

    private mutating func addType(_ id: String, _ node: PromptNode, isNeeded: Bool) {
        if let place = typePlaces[node.classType] {
            parts.nodeTypes[place].nodes.append(id)
            parts.nodeTypes[place].isNeeded = parts.nodeTypes[place].isNeeded || isNeeded
            return
        }
        guard parts.nodeTypes.count < Self.limit else { return }
        typePlaces[node.classType] = parts.nodeTypes.count
        let pack = PackNames.pack(of: node.classType)
        parts.nodeTypes.append(
            MissingParts.NodeType(
                classType: node.classType, pack: pack,
                isReference: pack == nil && ReferenceNodes.schema(node.classType) != nil, nodes: [id],
                isNeeded: isNeeded))
    }

    private mutating func addFiles(of id: String, _ node: PromptNode, _ schema: NodeSchema) {
        for input in schema.inputs {
            guard case .choice(let choices) = input.kind, let name = node.inputs[input.name]?.literal?.stringValue
            else { continue }
            switch choices {
            case .fixed: continue
            case .files(let folder, _):
                let slashed =
                    name.utf8.count > FileName.maximumLength ? name : String(name.map { $0 == "\\" ? "/" : $0 })
                let list = lists.list(choices)
                if list.members.contains(name) || list.members.contains(slashed) { continue }
                if let set = FileSet.named(name, in: folder) {
                    let there = files.modelNames(set.folder)
                    for stem in set.stems where !there.contains(where: { $0.hasPrefix(stem + ".") }) {
                        addFile(stem + ".safetensors", set.folder, id, node.classType, input.name, isGuess: false)
                    }
                    continue
                }
                addFile(name, folder, id, node.classType, input.name, isGuess: false)
            case .inputImages:
                if (try? files.input(name)) != nil { continue }
                addFile(name, "input", id, node.classType, input.name, isGuess: false)
            }
        }
    }

    /// - Parameter folder: empty when unknown.
    private mutating func addGuess(
        _ name: String, _ folder: String, _ id: String, _ classType: String, _ input: String?
    ) {
        var folder = folder
        if let said = hints.source(of: name)?.directory, isPlain(said) { folder = said }
        if !folder.isEmpty, (try? files.model(folder, name)) != nil { return }
        addFile(name, folder.isEmpty ? nil : folder, id, classType, input, isGuess: true)
    }

    private mutating func addFile(
        _ name: String, _ folder: String?, _ id: String, _ classType: String, _ input: String?, isGuess: Bool
    ) {
        let key = FileKey(name: name, folder: folder)
        if let place = filePlaces[key] {
            if parts.files[place].nodes.last != id { parts.files[place].nodes.append(id) }
            return
        }
        guard parts.files.count < Self.limit else { return }
        filePlaces[key] = parts.files.count
        var paths: [String] = []
        if let folder, folder != "input" { paths = files.modelFolders(folder) }
        parts.files.append(
            MissingParts.File(
                name: shortened(name, to: 1000), folder: folder, paths: paths, nodes: [id], classType: classType,
                input: input, isGuess: isGuess, url: hints.source(of: name)?.url))
    }

    /// A folder out of a workflow may be anything; one that could leave the models is not looked at.
    private func isPlain(_ folder: String) -> Bool {
        guard folder.utf8.count < 100, let relative = try? FileName(folder).relativePath else { return false }
        return relative == folder
    }
}
