import Glibc
import Hashing
import JSON

/// A digest of a file's content that is cheap for any size.
///
/// Up to ``wholeLimit`` every byte counts. Of larger files, which are models, a sample does: reading 24 GB before the
/// first step would cost more than loading them. The sample is the length; of a safetensors file the whole header, and
/// of every tensor in it the first, middle and last block, small tensors entirely; and blocks at even distances over the
/// whole file. Training and merging change weights all over a tensor, so that two fine-tunes of one model always differ
/// in it; what could escape is an edit by hand of some numbers inside one large tensor.
enum FileDigest {
    static let wholeLimit = 64 << 20
    static let block = 4096
    /// Blocks at even distances, and more of them where no header says what matters.
    static let evenBlocks = 1024
    static let evenBlocksWithoutHeader = 8192
    static let longestHeader = 100_000_000

    /// - Throws: ``FileError``.
    static func digest(path: String) throws(FileError) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, "cannot be opened: \(FileSystem.lastProblem())") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path, "is no regular file")
        }
        let length = Int(status.st_size)
        var reader = Reader(path: path, descriptor: descriptor, length: length)
        if length <= wholeLimit {
            try reader.add(0..<length)
            return "sha256 \(reader.hash.finish())"
        }
        // Small reads all over the file: reading ahead would fetch a hundred times as much.
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM)
        var ranges = try headerRanges(&reader)
        let count = ranges.isEmpty ? evenBlocksWithoutHeader : evenBlocks
        for index in 0..<count {
            let start = (length - block) / (count - 1) * index
            ranges.append(start..<start + block)
        }
        ranges.append(length - block..<length)
        for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            try reader.add(range)
        }
        return "sample1 \(length) \(reader.hash.finish())"
    }

    /// The header of a safetensors file and the samples of its tensors; nothing for other files.
    private static func headerRanges(_ reader: inout Reader) throws(FileError) -> [Range<Int>] {
        let prefix = try reader.bytes(0..<8)
        let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length > 1, length <= UInt64(longestHeader), Int(length) + 8 <= reader.length else { return [] }
        let text = try reader.bytes(8..<8 + Int(length))
        guard let tensors = (try? JSON(parsing: text))?.objectValue else { return [] }
        var ranges = [0..<8 + Int(length)]
        let start = 8 + Int(length)
        for (_, tensor) in tensors {
            guard let first = tensor["data_offsets"]?[0]?.intValue, let end = tensor["data_offsets"]?[1]?.intValue,
                first >= 0, first < end, end <= reader.length - start
            else { continue }
            let (from, to) = (start + first, start + end)
            if to - from <= 4 * block {
                ranges.append(from..<to)
            } else {
                let middle = from + (to - from) / 2
                ranges += [from..<from + block, middle..<min(to, middle + block), to - block..<to]
            }
        }
        return ranges
    }

    private struct Reader {
        let path: String
        let descriptor: Int32
        let length: Int
        var hash = SHA256()

        mutating func add(_ range: Range<Int>) throws(FileError) {
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(range.upperBound, start + 1 << 20)
                hash.update(try bytes(start..<end))
                start = end
            }
        }

        func bytes(_ range: Range<Int>) throws(FileError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: range.count)
            var done = 0
            while done < range.count {
                let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                    unsafe pread(
                        descriptor, buffer.baseAddress?.advanced(by: done), range.count - done,
                        range.lowerBound + done)
                }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else {
                    throw FileError(
                        path, count == 0 ? "was cut while it was read" : "cannot be read: \(FileSystem.lastProblem())")
                }
                done += count
            }
            return bytes
        }
    }
}
