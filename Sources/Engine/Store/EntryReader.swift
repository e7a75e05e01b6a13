import Glibc
import Hashing
import JSON
import Tensors

/// A result file open for reading: everything in it has been checked, its tensors lie in the mapped file.
///
/// Mapped rather than copied, so that a large result costs no memory beyond the page cache. Files are only ever renamed
/// into place and removed, never changed, so that what was checked stays as it is for as long as it is mapped.
struct EntryReader {
    let json: JSON
    let tensors: [Tensor]
    let byteCount: Int

    /// Reads and checks a whole file.
    ///
    /// - Returns: `nil` when there is none, or none that may be read.
    /// - Throws: ``EntryFile/Fault`` when it is not the complete result under `key`.
    init?(path: String, key: CacheKey) throws(EntryFile.Fault) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw EntryFile.Fault("it is no regular file")
        }
        byteCount = Int(status.st_size)
        let head = try EntryFile.head(descriptor, fileLength: byteCount)
        guard head.key == key else { throw EntryFile.Fault("it is the result of another node") }
        guard let json = head.json, let places = json["tensors"]?.arrayValue else {
            throw EntryFile.Fault("its head is damaged")
        }
        self.json = json
        if places.isEmpty && head.payloadLength == 0 {
            tensors = []
            return
        }
        let storage = try MappedResult(descriptor, byteCount)
        var tensors: [Tensor] = []
        var end = 0
        for place in places {
            guard let place = EntryFile.Place(place, payloadLength: head.payloadLength), place.offset >= end,
                let tensor = try? Tensor(
                    storage: storage, dtype: place.type, shape: Shape(place.shape),
                    offset: (head.payloadStart + place.offset) / place.type.byteCount)
            else { throw EntryFile.Fault("a tensor lies outside the file") }
            try storage.check(place, head.payloadStart, gap: end..<place.offset)
            end = place.offset + place.byteCount
            tensors.append(tensor)
        }
        guard end == head.payloadLength else { throw EntryFile.Fault("there is more in it than its head says") }
        self.tensors = tensors
    }

    /// The head alone, for lists: cheap, and says nothing of the payload.
    static func head(path: String) -> (key: CacheKey, json: JSON, byteCount: Int)? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let head = try? EntryFile.head(descriptor, fileLength: Int(status.st_size)), let json = head.json
        else { return nil }
        return (head.key, json, Int(status.st_size))
    }
}

/// A result file in memory.
@safe private final class MappedResult: Storage {
    let byteCount: Int
    // Never written, and unmapped only when nobody refers to it any more.
    private nonisolated(unsafe) let base: UnsafeRawPointer

    init(_ descriptor: Int32, _ byteCount: Int) throws(EntryFile.Fault) {
        self.byteCount = byteCount
        let mapped = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw EntryFile.Fault("it cannot be mapped into memory: \(FileSystem.lastProblem())")
        }
        unsafe base = UnsafeRawPointer(mapped)
    }

    deinit { unsafe _ = munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }

    var hostBytes: UnsafeRawBufferPointer? { unsafe UnsafeRawBufferPointer(start: base, count: byteCount) }

    /// Compares a tensor with its checksum, and what lies before it with the zeros that were written.
    ///
    /// - Parameter start: of the payload; `place` and `gap` count from there and lie inside the file.
    func check(_ place: EntryFile.Place, _ start: Int, gap: Range<Int>) throws(EntryFile.Fault) {
        let elements = unsafe RawSpan(_unsafeStart: base + start + place.offset, byteCount: place.byteCount)
        guard XXH64.checksum(elements) == place.checksum else {
            throw EntryFile.Fault("the checksum of its data is wrong")
        }
        for position in gap {
            guard unsafe base.load(fromByteOffset: start + position, as: UInt8.self) == 0 else {
                throw EntryFile.Fault("there is something between its tensors")
            }
        }
    }
}
