import HTTPTypes

/// The validators of a file: what tells one state of it from another.
struct Validators {
    /// A strong entity tag: time to the nanosecond and size.
    let tag: String
    let modified: HTTPDate

    init(_ status: FileStatus) {
        tag = "\"\(String(status.modified, radix: 16))-\(String(status.byteCount, radix: 16))\""
        modified = HTTPDate(nanoseconds: status.modified)
    }
}

/// What the conditions of a request (RFC 9110 §13) make of it.
enum Conditions: Equatable {
    case send
    /// 304
    case notModified
    /// 412
    case failed

    /// In the order of RFC 9110 §13.2.2, for GET and HEAD.
    init(_ headers: HTTPFields, _ validators: Validators) {
        if let match = headers[.ifMatch] {
            guard Self.contains(match, validators.tag, isWeak: false) else {
                self = .failed
                return
            }
        } else if let since = headers[.ifUnmodifiedSince].flatMap(HTTPDate.init), validators.modified > since {
            self = .failed
            return
        }
        if let match = headers[.ifNoneMatch] {
            self = Self.contains(match, validators.tag, isWeak: true) ? .notModified : .send
        } else if let since = headers[.ifModifiedSince].flatMap(HTTPDate.init) {
            self = validators.modified <= since ? .notModified : .send
        } else {
            self = .send
        }
    }

    /// Whether a `Range` header counts, given `If-Range`.
    static func allowsRange(_ headers: HTTPFields, _ validators: Validators) -> Bool {
        guard let condition = headers[.ifRange] else { return true }
        if condition.hasPrefix("\"") { return condition == validators.tag }
        return HTTPDate(condition) == validators.modified
    }

    private static func contains(_ list: String, _ tag: String, isWeak: Bool) -> Bool {
        list.split(separator: ",").contains { item in
            let text = item.trimming { $0 == " " || $0 == "\t" }
            return text == "*" || text == tag || (isWeak && text == "W/" + tag)
        }
    }
}

extension Substring {
    func trimming(_ isTrimmed: (Character) -> Bool) -> Substring {
        var rest = self.drop(while: isTrimmed)
        while let last = rest.last, isTrimmed(last) { rest.removeLast() }
        return rest
    }
}
