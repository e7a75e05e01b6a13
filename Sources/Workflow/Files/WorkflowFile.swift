public import JSON

/// A workflow as it comes in a file: a prompt to run, a graph in front-end format, or both.
///
/// Source: spec/ui-format.md §1.
public struct WorkflowFile: Sendable {
    /// The file's name, for messages.
    public var name: String?
    /// The graph in API format, if the file has one.
    public var prompt: Prompt?
    /// The graph in front-end format as it stands in the file, if it has one.
    public var workflow: JSON?

    /// Reads a file: JSON in either format, or a picture (PNG, WebP) that a program saved with its workflow.
    ///
    /// - Throws: ``WorkflowError``.
    public static func load(path: String) throws(WorkflowError) -> WorkflowFile {
        try WorkflowFile(bytes: try FileBytes.read(path), name: path)
    }

    /// Reads the contents of a file. The format is told by the contents, never by the name.
    ///
    /// - Throws: ``WorkflowError``.
    public init(bytes: [UInt8], name: String? = nil) throws(WorkflowError) {
        do {
            if let metadata = try PictureMetadata(bytes) {
                try self.init(metadata)
            } else {
                try self.init(JSON(workflowText: bytes))
            }
        } catch {
            throw error.inFile(name)
        }
        self.name = name
    }

    /// Reads a value in either format, or one that wraps them: `{"prompt": …}`, `{"output": …, "workflow": …}`.
    ///
    /// - Throws: ``WorkflowError``.
    public init(_ json: JSON) throws(WorkflowError) {
        guard case .object(let members) = json else {
            throw WorkflowError(
                .noWorkflow, "the file holds \(json.kind), expected an object", advice: Self.expectation)
        }
        if case .array? = members["nodes"] {
            self.init(prompt: nil, workflow: json)
        } else if Self.looksLikePrompt(members) {
            self.init(prompt: try Prompt(json), workflow: nil)
        } else if let wrapped = try Self.unwrapped(members) {
            self = wrapped
        } else if members["nodes"] != nil {
            throw .wrongKind(at: "nodes", members["nodes"]?.kind, expected: "an array of nodes")
        } else if members.isEmpty {
            throw WorkflowError(.noWorkflow, "the file holds an empty object", advice: Self.expectation)
        } else {
            // Say what is wrong with it as a prompt: nothing else comes near.
            self.init(prompt: try Prompt(json), workflow: nil)
        }
    }

    private init(prompt: Prompt?, workflow: JSON?) {
        self.prompt = prompt
        self.workflow = workflow
    }

    private init(_ metadata: PictureMetadata) throws(WorkflowError) {
        guard metadata.prompt != nil || metadata.workflow != nil else {
            throw WorkflowError(
                .noWorkflow, "the \(metadata.format) picture holds no workflow",
                advice: "only pictures saved by ComfyUI or graphrun with metadata do")
        }
        workflow = try metadata.workflow.map { text throws(WorkflowError) in
            try JSON(workflowText: Array(text.utf8), at: "workflow")
        }
        prompt = try metadata.prompt.map { text throws(WorkflowError) in
            try Prompt(JSON(workflowText: Array(text.utf8), at: "prompt"), at: "prompt")
        }
    }

    private static let expectation =
        "expected a ComfyUI workflow: an object with nodes and links, or an object from node id to {class_type, inputs}"

    /// Every value is a node; one that is not is reported, as long as another one is.
    private static func looksLikePrompt(_ members: JSONObject) -> Bool {
        members.contains { $0.value["class_type"] != nil && $0.value.objectValue != nil }
    }

    private static func unwrapped(_ members: JSONObject) throws(WorkflowError) -> WorkflowFile? {
        let key = members["prompt"] != nil ? "prompt" : "output"
        let inner = members[key].flatMap(parsed)
        let workflow =
            (members["workflow"] ?? members["extra_data"]?["extra_pnginfo"]?["workflow"]).flatMap(parsed)
        let graph = workflow?["nodes"]?.arrayValue == nil ? nil : workflow
        if case .object(let nodes)? = inner {
            if nodes["nodes"]?.arrayValue != nil { return WorkflowFile(prompt: nil, workflow: inner) }
            return WorkflowFile(prompt: try Prompt(.object(nodes), at: key), workflow: graph)
        }
        if let inner, graph == nil {
            throw .wrongKind(at: key, inner.kind, expected: "an object from node id to node")
        }
        return graph.map { WorkflowFile(prompt: nil, workflow: $0) }
    }

    /// Texts inside a file (as tools that print a picture's metadata make them) are read as JSON.
    private static func parsed(_ json: JSON) -> JSON? {
        guard case .string(let text) = json else { return json }
        return try? JSON(workflowText: Array(text.utf8))
    }

    /// The workflow ready to run. A prompt is run as it is; a graph is converted (spec/ui-format.md).
    ///
    /// - Parameter schemas: the node types of this program. Types that it does not know are read by the table of the
    ///   reference's nodes (``ReferenceNodes``), and others by what the file shows of them, with a note.
    /// - Throws: ``WorkflowError`` naming the first part of the wrong kind.
    public func conversion(
        schemas: @escaping SchemaSource, options: ConversionOptions = ConversionOptions()
    ) throws(WorkflowError) -> Conversion {
        if let prompt { return Conversion(prompt: prompt, notes: [], workflow: workflow) }
        guard let workflow else {
            throw WorkflowError(.noWorkflow, "there is no workflow", file: name)
        }
        do {
            let converter = Converter(try GraphFile(workflow), schemas: schemas, options: options)
            let prompt = try converter.convert()
            return Conversion(
                prompt: prompt, notes: converter.notes, modelFiles: converter.modelFiles, workflow: workflow)
        } catch {
            throw error.inFile(name)
        }
    }
}

extension JSON {
    /// Parses a text that should be JSON.
    init(workflowText bytes: [UInt8], at path: String = "") throws(WorkflowError) {
        try WorkflowSize.check(bytes.span, at: path)
        do {
            try self.init(parsing: bytes)
        } catch {
            let isText = bytes.prefix(64).allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
            throw WorkflowError(
                .notJSON, at: path,
                isText || bytes.isEmpty ? "this is not JSON: \(error)" : "this is not a workflow file",
                advice: "give a workflow saved by ComfyUI (.json), or a PNG, WebP or JPEG picture that holds one")
        }
    }
}
