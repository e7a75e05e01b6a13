public import Engine
import JSON
import Synchronization

/// What the program gives the server: everything that names nodes and backends.
public struct ServerParts: Sendable {
    /// Folders of models and pictures.
    public var files: ModelFolders
    /// Makes the node types; takes a moment, called once, not before the port is open.
    public var registry: @Sendable () -> NodeRegistry
    /// What libraries of nodes have for the editor; asked for once the registry is made.
    public var editorFolders: @Sendable () -> [EditorFolder]
    /// Makes the engine; called once, when it is first needed.
    public var engine: @Sendable (NodeRegistry) throws -> GraphEngine
    /// Shows a line to the person who started the server.
    public var print: @Sendable (String) -> Void
    /// The program's version.
    public var version: String

    public init(
        files: ModelFolders, version: String, registry: @escaping @Sendable () -> NodeRegistry,
        editorFolders: @escaping @Sendable () -> [EditorFolder] = { [] },
        engine: @escaping @Sendable (NodeRegistry) throws -> GraphEngine, print: @escaping @Sendable (String) -> Void
    ) {
        self.editorFolders = editorFolders
        self.files = files
        self.version = version
        self.registry = registry
        self.engine = engine
        self.print = print
    }
}

/// What routes work with.
public final class ServerContext: Sendable {
    public let options: ServeOptions
    public let files: ModelFolders
    public let version: String
    public let log: ServerLog
    /// The open sockets.
    public let sockets: SocketHub
    /// Node types and engine, made when they are first needed.
    public let nodes: LazyEngine
    let metrics = ServerMetrics()
    let objectInfo: ObjectInfo
    let modelTypes: ModelTypes

    private let editorFolders: @Sendable () -> [EditorFolder]

    /// What libraries of nodes have for the editor.
    var packFiles: NodePackFiles {
        get async {
            _ = await nodes.registry
            return NodePackFiles(editorFolders())
        }
    }

    init(_ options: ServeOptions, _ parts: ServerParts) {
        editorFolders = parts.editorFolders
        self.options = options
        files = parts.files
        modelTypes = ModelTypes(parts.files)
        objectInfo = ObjectInfo(servesEditor: options.frontEndFolder != nil)
        version = parts.version
        log = ServerLog(print: parts.print)
        sockets = SocketHub(features: Self.features(options), metrics: metrics)
        nodes = LazyEngine(parts)
    }

    /// The server's feature flags (server-api.md §3).
    static func features(_ options: ServeOptions) -> JSONObject {
        ["supports_preview_metadata": .bool(true), "max_upload_size": .int(Int64(options.bodyLimit))]
    }
}
