import Glibc

/// What the engine's results depend on beside the graph: its code.
public enum EngineVersion {
    /// The build ids that the linker gave the program and the library it shares with plugins: digests of their code.
    ///
    /// A version number would have to be raised by hand with every change that any result could depend on; forgotten
    /// once, old results would be believed for ever. The price is that a new build computes everything again.
    public static let identity: String = {
        var files = ["/proc/self/exe"]
        let maps = (try? FileSystem.read("/proc/self/maps", limit: 16 << 20)) ?? []
        for line in maps.split(separator: 0x0A) where line.suffix(14).elementsEqual("/libNodeKit.so".utf8) {
            guard let slash = line.firstIndex(of: 0x2F) else { continue }
            files.append(String(decoding: line[slash...], as: UTF8.self))
            break
        }
        return files.map { path in
            if let id = buildID(path) { return id }
            // Linked without an id: the file stands for its content.
            let status = FileSystem.status(path)
            return "\(status?.byteCount ?? 0) \(status?.modified ?? 0)"
        }.joined(separator: " ")
    }()

    /// The note `NT_GNU_BUILD_ID` of a 64-bit ELF file, in hexadecimal digits.
    static func buildID(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        func bytes(_ offset: Int, _ count: Int) -> [UInt8]? {
            guard offset >= 0, (0...1 << 20).contains(count) else { return nil }
            var bytes = [UInt8](repeating: 0, count: count)
            let read = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, count, offset) }
            return read == count ? bytes : nil
        }
        func number(_ bytes: ArraySlice<UInt8>) -> Int {
            Int(truncatingIfNeeded: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
        guard let header = bytes(0, 64), header.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2]) else { return nil }
        let (entryLength, count) = (number(header[54..<56]), number(header[56..<58]))
        guard entryLength >= 56, let table = bytes(number(header[32..<40]), entryLength * count) else { return nil }
        for index in 0..<count {
            let entry = table[index * entryLength..<(index + 1) * entryLength]
            let start = entry.startIndex
            guard number(entry[start..<start + 4]) == Int(PT_NOTE),
                let notes = bytes(number(entry[start + 8..<start + 16]), number(entry[start + 32..<start + 40]))
            else { continue }
            var position = 0
            while position + 12 <= notes.count {
                let nameLength = number(notes[position..<position + 4])
                let length = number(notes[position + 4..<position + 8])
                let content = position + 12 + (nameLength + 3) / 4 * 4
                guard content + length <= notes.count else { break }
                // NT_GNU_BUILD_ID of the owner "GNU".
                if number(notes[position + 8..<position + 12]) == 3,
                    notes[position + 12..<content].elementsEqual([0x47, 0x4E, 0x55, 0])
                {
                    return notes[content..<content + length].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
                        .joined()
                }
                position = content + (length + 3) / 4 * 4
            }
        }
        return nil
    }
}
