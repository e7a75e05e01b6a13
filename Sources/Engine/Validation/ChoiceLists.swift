public import NodeKit

/// The entries of combos, each list read once: folders are scanned when the first input asks.
final class ChoiceLists {
    struct List {
        var names: [String]
        var members: Set<String>
    }

    private let files: any NodeFiles
    private var lists: [Choices: List] = [:]

    init(_ files: any NodeFiles) { self.files = files }

    func list(_ choices: Choices) -> List {
        if let known = lists[choices] { return known }
        let names = choices.names(in: files)
        let list = List(names: names, members: Set(names))
        lists[choices] = list
        return list
    }
}

extension Choices {
    /// The entries at present.
    public func names(in files: any NodeFiles) -> [String] {
        switch self {
        case .fixed(let names): names
        case .files(let folder, let extra):
            extra + files.modelNames(folder)
                + FileSet.offered(in: folder).filter { $0.fileNames(files) != nil }.map(\.name)
        case .inputImages: files.inputNames()
        }
    }
}
