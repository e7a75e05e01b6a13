import Diffusion
import Hashing
import NodeKit
import Tensors

/// What the guider answered in a sampling run, kept so that an interrupted run can be taken up.
///
/// A sampler decides by its inputs, its seed and the guider's answers alone. The answers are therefore its whole state,
/// for every method, with histories, noise sources and step controllers: run again from the start, it gets the known
/// answers at once, is then bit for bit where it was, and goes on computing.
///
/// Each answer carries a digest of its question (x and σ). One that was asked otherwise ends the tape: the program has
/// changed since, and what follows would be wrong.
final class SamplingTape {
    /// One question and its answer are one record: question, number of tensors, then float32 values. The tensors have the
    /// shape of x.
    private let journal: any WorkJournal
    private var position = 0
    /// Called once, before the first answer that has to be computed.
    private let onEnd: (_ fits: Bool) -> Void
    private(set) var isReplaying = true
    private var isRecording = true

    /// - Parameter onEnd: called once, before the first answer that has to be computed: whether the kept ones fitted.
    init(_ journal: any WorkJournal, onEnd: @escaping (_ fits: Bool) -> Void) {
        self.journal = journal
        self.onEnd = onEnd
    }

    /// Whether answers were taken from an earlier run.
    var isResumed: Bool { replayed > 0 }
    private var replayed = 0

    /// The guider's answer: from the tape while there is one, else computed and kept.
    ///
    /// - Parameter count: number of tensors in an answer.
    func answer(_ x: Tensor, _ sigma: Float, count: Int, _ compute: () throws -> [Tensor]) throws -> [Tensor] {
        let question = try digest(x, sigma, count)
        if isReplaying {
            let kept = journal.record(position)
            if let kept, let answer = try decode(kept, question, x.shape, count) {
                position += 1
                replayed += 1
                return answer
            }
            isReplaying = false
            journal.truncate(to: position)
            onEnd(kept == nil)
        }
        let answer = try compute()
        if isRecording, let record = try encode(answer, question, x.shape) {
            journal.append(record)
        } else {
            // A gap would let later answers be taken for earlier ones.
            isRecording = false
        }
        return answer
    }

    private func digest(_ x: Tensor, _ sigma: Float, _ count: Int) throws -> UInt64 {
        let x = try x.asFloat32()
        var seed = UInt64(sigma.bitPattern) << 32 | UInt64(count)
        for axis in 0..<x.shape.rank { seed = seed &* 0x9E37_79B1_85EB_CA87 &+ UInt64(x.shape[axis]) }
        return try unsafe x.withBytes { bytes in unsafe XXH64.checksum(RawSpan(_unsafeBytes: bytes), seed: seed) }
    }

    /// `nil` for what should rather be computed again: numbers that are none, and shapes that a tape does not know.
    private func encode(_ answer: [Tensor], _ question: UInt64, _ shape: Shape) throws -> [UInt8]? {
        var record: [UInt8] = []
        record.reserveCapacity(16 + answer.count * shape.count * MemoryLayout<Float>.size)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            record.append(UInt8(truncatingIfNeeded: question >> shift))
        }
        for tensor in answer {
            guard tensor.shape == shape, try !HostMath.hasNonFinite(tensor) else { return nil }
            try unsafe tensor.asFloat32().withBytes { unsafe record.append(contentsOf: $0) }
        }
        return record
    }

    /// `nil` when the record answers another question.
    private func decode(_ record: [UInt8], _ question: UInt64, _ shape: Shape, _ count: Int) throws -> [Tensor]? {
        let size = shape.count * MemoryLayout<Float>.size
        guard record.count == 8 + count * size else { return nil }
        let asked = (0..<8).reduce(UInt64(0)) { $0 | UInt64(record[$1]) << (8 * UInt64($1)) }
        guard asked == question else { return nil }
        return try (0..<count).map { index in
            try unsafe Tensor.buildBytes(shape, dtype: .float32) { out throws(TensorError) in
                let start = 8 + index * size
                unsafe record.withUnsafeBytes { bytes in
                    unsafe out.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
                }
            }
        }
    }
}

/// A guider whose answers are on a tape.
///
/// This supposes that an answer depends on x and σ alone; models with ``RemembersEvaluations`` are not wrapped.
struct TapedGuider: Guider {
    let guider: any Guider
    /// Used by the one run, on its thread.
    nonisolated(unsafe) let tape: SamplingTape

    init(_ guider: any Guider, _ tape: SamplingTape) {
        self.guider = guider
        unsafe self.tape = tape
    }

    var model: DiffusionModel { guider.model }

    func denoiser(for geometry: RunGeometry, on backend: any Backend) throws -> any Denoiser {
        let guider = guider
        return unsafe TapedDenoiser(tape, sampling: geometry.sampling) {
            try guider.denoiser(for: geometry, on: backend)
        }
    }
}

private final class TapedDenoiser: Denoiser {
    private let tape: SamplingTape
    private let make: () throws -> any Denoiser
    /// Made when something has to be computed: preparing ControlNets is no part of replaying.
    private var made: (any Denoiser)?
    let sampling: any ModelSampling

    init(_ tape: SamplingTape, sampling: any ModelSampling, _ make: @escaping () throws -> any Denoiser) {
        self.tape = tape
        self.sampling = sampling
        self.make = make
    }

    private func denoiser() throws -> any Denoiser {
        if let made { return made }
        let new = try make()
        made = new
        return new
    }

    func callAsFunction(_ x: Tensor, _ sigma: Float) throws -> Tensor {
        try tape.answer(x, sigma, count: 1) {
            let denoiser = try denoiser()
            return [try denoiser(x, sigma)]
        }[0]
    }

    func withUnconditional(_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor) {
        let answer = try tape.answer(x, sigma, count: 2) {
            let (denoised, unconditional) = try denoiser().withUnconditional(x, sigma)
            return [denoised, unconditional]
        }
        return (answer[0], answer[1])
    }
}
