internal import CJSON

/// Why a text is not JSON.
public struct JSONError: Error, Sendable, CustomStringConvertible {
    public var message: String
    /// Byte position in the text, if known.
    public var offset: Int?
    public var description: String { offset.map { "\(message) (at byte \($0))" } ?? message }
}

extension JSON {
    /// The deepest nesting accepted. Real workflows stay below 20.
    public static let maximumDepth = 256

    /// How much room the values of a foreign text may take: a byte of text can become hundreds of bytes of values.
    /// A list or object counts as eight other values.
    public struct Room: Sendable, Hashable {
        public var values: Int
        public init(values: Int) { self.values = values }
        public static let unlimited = Room(values: .max)
    }

    /// Parses UTF-8 text.
    ///
    /// Strict JSON (RFC 8259) with three concessions to what writers do: a byte order mark is skipped, the bare words
    /// `NaN`, `Infinity` and `-Infinity` are numbers (Python writes them), and an integer outside −2^63 ... 2^64−1
    /// becomes the nearest double. A repeated key keeps its last value.
    ///
    /// - Throws: ``JSONError`` with the position of the first fault; also for text after the value, for nesting
    ///   beyond ``maximumDepth`` and for more values than there is room for.
    public init(parsing bytes: some Collection<UInt8>, room: Room = .unlimited) throws(JSONError) {
        var text = Array(bytes)
        // A byte order mark is white space of the same length, so positions stay those of the text as given.
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text.replaceSubrange(0..<3, with: [0x20, 0x20, 0x20]) }
        var scan = LiteralScan(room: room.values)
        try scan.run(text.span)
        text = scan.rewritten(text)
        guard text.count <= Int(Int32.max) else {
            throw JSONError(message: "the text is larger than 2 GiB", offset: nil)
        }
        guard let tokener = unsafe json_tokener_new_ex(Int32(Self.maximumDepth)) else {
            throw JSONError(message: "out of memory", offset: nil)
        }
        defer { unsafe json_tokener_free(tokener) }
        unsafe json_tokener_set_flags(
            tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS | JSON_TOKENER_VALIDATE_UTF8)
        var root = unsafe text.withUnsafeBytes { buffer in
            unsafe json_tokener_parse_ex(
                tokener, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count))
        }
        // The object parsed so far is the tokener's until it reports success, then ours.
        defer { unsafe _ = json_object_put(root) }
        var status = unsafe json_tokener_get_error(tokener)
        let end = unsafe json_tokener_get_parse_end(tokener)
        if status == json_tokener_continue {
            // A number at the very end of the text is only complete once the text is known to end.
            unsafe root = unsafe json_tokener_parse_ex(tokener, "\0", 1)
            status = unsafe json_tokener_get_error(tokener)
            guard status == json_tokener_success else {
                throw JSONError(
                    message: text.isEmpty ? "the text is empty" : "the text ends too early", offset: text.count)
            }
        }
        guard status == json_tokener_success else {
            throw JSONError(
                message: unsafe String(cString: json_tokener_error_desc(status)), offset: scan.original(end))
        }
        if let extra = text.dropFirst(end).firstIndex(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) {
            throw JSONError(message: "unexpected text after the JSON value", offset: scan.original(extra))
        }
        self = try unsafe Self.convert(root)
    }

    /// Parses a string.
    public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }

    private static func convert(_ object: OpaquePointer?) throws(JSONError) -> JSON {
        guard let object = unsafe object else { return .null }
        switch unsafe json_object_get_type(object) {
        case json_type_null: return .null
        case json_type_boolean: return .bool(unsafe json_object_get_boolean(object) != 0)
        case json_type_double: return .double(unsafe json_object_get_double(object))
        case json_type_int:
            let unsigned = unsafe json_object_get_uint64(object)
            if unsigned > UInt64(Int64.max) { return .uint(unsigned) }
            return .int(unsafe json_object_get_int64(object))
        case json_type_string:
            return .string(unsafe string(json_object_get_string(object), json_object_get_string_len(object)))
        case json_type_array:
            let count = unsafe json_object_array_length(object)
            var items: [JSON] = []
            items.reserveCapacity(count)
            for index in 0..<count { items.append(try unsafe convert(json_object_array_get_idx(object, index))) }
            return .array(items)
        case json_type_object:
            var members = JSONObject()
            var iterator = unsafe json_object_iter_begin(object)
            var end = unsafe json_object_iter_end(object)
            while unsafe json_object_iter_equal(&iterator, &end) == 0 {
                if let name = unsafe json_object_iter_peek_name(&iterator) {
                    members[unsafe String(cString: name)] = try unsafe convert(json_object_iter_peek_value(&iterator))
                }
                unsafe json_object_iter_next(&iterator)
            }
            return .object(members)
        default: throw JSONError(message: "unknown kind of JSON value", offset: nil)
        }
    }

    private static func string(_ start: UnsafePointer<CChar>?, _ count: Int32) -> String {
        guard let start = unsafe start else { return "" }
        return unsafe UnsafeRawBufferPointer(start: start, count: Int(count)).withMemoryRebound(to: UInt8.self) {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }
}
