/// The name of a package of nodes, which is also its Swift module.
public enum ModuleName {
    /// - Throws: ``PluginError`` when a package cannot have the name.
    public static func check(_ name: String) throws(PluginError) {
        guard isIdentifier(name) else {
            throw PluginError(
                "\"\(name)\" cannot be a module's name: expected a Swift identifier of ASCII letters, digits and _ "
                    + "that begins with a letter, at most 64 characters")
        }
        if keywords.contains(name) { throw PluginError("\"\(name)\" is a keyword of Swift: choose another name") }
        if taken.contains(name) { throw PluginError("a module \"\(name)\" is there already: choose another name") }
    }

    static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, (1...64).contains(name.utf8.count) else { return false }
        let isLetter = { (byte: UInt8) in (65...90).contains(byte) || (97...122).contains(byte) }
        return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == 95 }
    }

    private static let keywords: Set<String> = [
        "actor", "any", "as", "associatedtype", "async", "await", "break", "case", "catch", "class", "continue",
        "default",
        "defer", "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func",
        "guard",
        "if", "import", "in", "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private",
        "protocol", "public", "repeat", "rethrows", "return", "self", "Self", "Any", "Type", "static", "struct",
        "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var", "where", "while",
    ]

    /// Modules of the program, of NodeKit and of the toolchain: Swift tells types apart by their modules' names.
    static let taken: Set<String> = [
        "ArgumentParser", "BitCollections", "CDNNL", "CImages", "CJPEG", "CJSON", "CKernels", "CNodeKit",
        "CNumeric", "COpenBLAS", "CPNG", "CPUBackend", "CSampling", "CSignals", "CWebP", "Checkpoints",
        "Collections", "ComfyrollNodes", "CoreNodes", "CropAndStitchNodes", "CustomScriptsNodes",
        "DequeModule", "Diffusion", "Dispatch", "Distributed", "Engine", "EssentialsNodes", "Foundation",
        "FoundationEssentials", "FuzzTarget", "GRDB", "Glibc", "GraphRun", "Hashing", "HeapModule",
        "HummingbirdCore", "Images",
        "JPSNodes", "JSON", "KJNodes", "Layers", "Logging", "ModelMaker", "Models", "NIOCore", "NIOHTTP1", "NIOPosix",
        "NIOWebSocket", "NodeKit", "NodeKitBuild",
        "Observation", "OrderedCollections", "PackTools", "Planning", "Plugins", "RegexBuilder", "RgthreeNodes",
        "Sampling", "Server", "SmallPacks", "Swift", "Synchronization", "Tensors", "TestSupport", "Testing",
        "TestingNodes", "Text", "Workflow", "XCTest", "XFluxNodes", "graphrun",
    ]
}
