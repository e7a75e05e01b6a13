internal import Dispatch
internal import Synchronization
internal import Tensors

extension Manifest {
    /// Elements that one thread computes at a time: a megabyte of bf16.
    private static let stretch = 1 << 19

    /// Writes the checkpoint as a safetensors file, on all cores.
    ///
    /// The file appears under its name when it is complete; nothing is left behind on failure.
    ///
    /// - Parameters:
    ///   - path: the file; its folder is created.
    ///   - seed: replaces the manifest's seed.
    ///   - files: the folder that `{"file": …}` entries are relative to.
    ///   - isCancelled: asked now and then, on any thread.
    /// - Returns: the size of the file in bytes.
    @discardableResult
    public func write(
        to path: String, seed: Int? = nil, files: String = ".", isCancelled: @Sendable () -> Bool = { false }
    ) throws(ManifestError) -> Int {
        var bodies: [[UInt8]?] = []
        var places: [(offset: Int, size: Int)] = []
        var total = 0
        for entry in entries {
            var body: [UInt8]?
            if case .file(let name) = entry.contents {
                body = try Folder.read(name.hasPrefix("/") ? name : files + "/" + name)
            }
            let size = body?.count ?? entry.count * entry.dtype.byteCount
            places.append((total, size))
            bodies.append(body)
            let (sum, overflow) = total.addingReportingOverflow(size)
            guard !overflow, sum < 1 << 50 else {
                throw ManifestError(.malformed, "the checkpoint would be larger than a petabyte")
            }
            total = sum
        }
        let header = header(places)
        try Folder.create(Folder.parent(of: path))
        let file = try OutputFile(path)
        try file.write(header, at: 0)
        for (body, place) in zip(bodies, places) {
            if let body { try file.write(body, at: header.count + place.offset) }
        }
        let start = header.count
        try fill(file, places.map { start + $0.offset }, seed: seed.map(String.init) ?? self.seed, isCancelled)
        try file.finish()
        return start + total
    }

    /// Computes and writes all drawn tensors.
    private func fill(
        _ file: OutputFile, _ offsets: [Int], seed: String, _ isCancelled: @Sendable () -> Bool
    ) throws(ManifestError) {
        let tensors = entries.map { TensorBytes($0, seed: seed) }
        var jobs: [(tensor: Int, range: Range<Int>)] = []
        for (index, entry) in entries.enumerated() {
            for start in stride(from: 0, to: entry.count, by: Self.stretch) {
                jobs.append((index, start..<min(start + Self.stretch, entry.count)))
            }
        }
        let plan = jobs
        let failure = Mutex<ManifestError?>(nil)
        DispatchQueue.concurrentPerform(iterations: plan.count) { number in
            if failure.withLock({ $0 != nil }) { return }
            if isCancelled() {
                failure.withLock { $0 = $0 ?? ManifestError(.cancelled, "cancelled while writing \(file.path)") }
                return
            }
            let (tensor, range) = plan[number]
            let offset = offsets[tensor] + range.lowerBound * entries[tensor].dtype.byteCount
            let code = tensors[tensor].with(range) { file.write($0, at: offset) }
            if code != 0 {
                failure.withLock { $0 = $0 ?? OutputFile.fault("cannot write", file.path, code) }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// Length, JSON and padding, as Python's `json.dumps` writes it.
    private func header(_ places: [(offset: Int, size: Int)]) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        for (entry, place) in zip(entries, places) {
            var shape = entry.shape
            if case .file = entry.contents { shape = [place.size] }
            members.append(
                "\(Self.quoted(entry.key)):{\"dtype\":\"\(entry.dtype.rawValue)\",\"shape\":[\(shape.map(String.init).joined(separator: ","))],\"data_offsets\":[\(place.offset),\(place.offset + place.size)]}"
            )
        }
        var text = Array("{\(members.joined(separator: ","))}".utf8)
        while text.count % 8 != 0 { text.append(0x20) }
        let count = UInt64(text.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: count >> UInt64(8 * $0)) } + text
    }

    /// A JSON string in ASCII.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{8}": out += "\\b"
            case "\u{c}": out += "\\f"
            case " "..."~": out.unicodeScalars.append(scalar)
            default:
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return out + "\""
    }
}
