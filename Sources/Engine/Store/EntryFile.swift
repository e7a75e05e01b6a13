import Glibc
import Hashing
import JSON
import Tensors

/// The form of one result on disk.
///
/// ```
///  0  "GRRESULT"
///  8  u32 version of the form, u32 length of the JSON text
/// 16  u64 length of the payload
/// 24  key (32 bytes)
/// 56  u64 XXH64 of the bytes 0..<56 and of the JSON text
/// 64  JSON text: what is stored, where its tensors lie and their checksums; blanks up to a multiple of 64
///     payload: the elements of the tensors, each at a multiple of 64, zeros between them
/// ```
/// Numbers are little-endian. Every byte is covered by a checksum or compared with what it must be, so that a file is
/// either what was written or is seen to be damaged.
enum EntryFile {
    static let magic = Array("GRRESULT".utf8)
    static let version: UInt32 = 1
    static let fixedLength = 64
    static let alignment = 64
    /// Longest JSON text; longer ones are neither written nor read.
    static let longestText = 16 << 20

    /// Where a tensor lies in the payload.
    struct Place: Sendable {
        var type: DType
        var shape: [Int]
        var offset: Int
        var byteCount: Int
        /// XXH64 of the elements.
        var checksum: UInt64
    }

    /// What an entry is refused for.
    struct Fault: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    // MARK: Writing

    /// Where contiguous host tensors come to lie one after the other.
    static func places(_ tensors: [Tensor]) throws -> [Place] {
        var end = 0
        return try tensors.map { tensor in
            let byteCount = tensor.count * tensor.dtype.byteCount
            let checksum = try unsafe tensor.withBytes { unsafe XXH64.checksum(RawSpan(_unsafeBytes: $0)) }
            let place = Place(
                type: tensor.dtype, shape: tensor.shape.array, offset: end, byteCount: byteCount, checksum: checksum)
            end = rounded(end + byteCount)
            return place
        }
    }

    static func rounded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    /// Length of the file for a JSON text and its tensors.
    static func byteCount(text: Int, _ places: [Place]) -> Int {
        rounded(fixedLength + text) + (places.last.map { $0.offset + $0.byteCount } ?? 0)
    }

    /// Writes a file under a temporary name and renames it.
    ///
    /// - Parameter tensors: contiguous host tensors, in the order of `places`.
    /// - Throws: ``FileError``, `TensorError`.
    static func write(
        to path: String, key: CacheKey, text: [UInt8], tensors: [Tensor], places: [Place], isDurable: Bool
    ) throws {
        var text = text
        while (fixedLength + text.count) % alignment != 0 { text.append(0x20) }
        let zeros = [UInt8](repeating: 0, count: alignment)
        var head = magic
        append(version, to: &head)
        append(UInt32(text.count), to: &head)
        append(UInt64(places.last.map { $0.offset + $0.byteCount } ?? 0), to: &head)
        head += key.bytes
        append(XXH64.checksum(head + text), to: &head)
        try AtomicFile.write(path, isDurable: isDurable) { file throws in
            try unsafe (head + text).withUnsafeBytes { try unsafe file.append($0) }
            var position = 0
            for (tensor, place) in zip(tensors, places) {
                let gap = place.offset - position
                if gap > 0 { try unsafe zeros.withUnsafeBytes { try unsafe file.append(.init(rebasing: $0[..<gap])) } }
                try unsafe tensor.withBytes { try unsafe file.append($0) }
                position = place.offset + place.byteCount
            }
        }
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    // MARK: Reading

    /// What stands before the payload.
    struct Head {
        var key: CacheKey
        var text: [UInt8]
        var payloadStart: Int
        var payloadLength: Int

        var json: JSON? { try? JSON(parsing: text) }
    }

    /// The head of the file open as `descriptor`.
    ///
    /// - Throws: ``Fault`` when it is not what ``write(to:key:text:tensors:places:isDurable:)`` wrote.
    static func head(_ descriptor: Int32, fileLength: Int) throws(Fault) -> Head {
        let fixed = try bytes(descriptor, at: 0, count: fixedLength)
        guard Array(fixed[..<8]) == magic else { throw Fault("it is no result of graphrun") }
        let found = UInt32(truncatingIfNeeded: number(fixed[8..<12]))
        guard found == version else { throw Fault("its form is \(found), expected \(version)") }
        let textLength = Int(truncatingIfNeeded: number(fixed[12..<16]))
        guard (0...longestText).contains(textLength), (fixedLength + textLength) % alignment == 0 else {
            throw Fault("its head is damaged")
        }
        let payloadLength = number(fixed[16..<24])
        let start = fixedLength + textLength
        guard payloadLength <= UInt64(Int32.max) << 16, start + Int(payloadLength) == fileLength else {
            throw Fault("its length is \(fileLength), which is not what its head says")
        }
        let text = try bytes(descriptor, at: fixedLength, count: textLength)
        guard number(fixed[56..<64]) == XXH64.checksum(fixed[..<56] + text),
            let key = CacheKey(bytes: Array(fixed[24..<56]))
        else { throw Fault("the checksum of its head is wrong") }
        return Head(key: key, text: text, payloadStart: start, payloadLength: Int(payloadLength))
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes(_ descriptor: Int32, at offset: Int, count: Int) throws(Fault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress?.advanced(by: done), count - done, offset + done)
            }
            if read < 0 && errno == EINTR { continue }
            guard read >= 0 else { throw Fault("it cannot be read: \(FileSystem.lastProblem())") }
            guard read > 0 else { throw Fault("it is cut off") }
            done += read
        }
        return bytes
    }
}

extension EntryFile.Place {
    /// `["F32", [1, 4], 0, "1f…"]`: type, dimensions, position in the payload, checksum.
    var json: JSON {
        .array([
            .string(type.rawValue), .array(shape.map { .int(Int64($0)) }), .int(Int64(offset)),
            .string(String(checksum, radix: 16)),
        ])
    }

    /// `nil` for what does not describe a tensor inside a payload of `payloadLength` bytes.
    init?(_ json: JSON, payloadLength: Int) {
        guard let type = json[0]?.stringValue.flatMap(DType.init(rawValue:)), let dimensions = json[1]?.arrayValue,
            let offset = json[2]?.intValue, let checksum = json[3]?.stringValue.flatMap({ UInt64($0, radix: 16) }),
            dimensions.count <= Shape.maximumRank
        else { return nil }
        let shape = dimensions.compactMap(\.intValue)
        guard shape.count == dimensions.count, let count = Shape.checkedCount(shape), offset >= 0,
            offset % EntryFile.alignment == 0
        else { return nil }
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
        guard !overflow, offset <= payloadLength, byteCount <= payloadLength - offset else { return nil }
        self.init(type: type, shape: shape, offset: offset, byteCount: byteCount, checksum: checksum)
    }
}
