internal import CKernels
public import Tensors

/// The CPU conformer of ``Backend``.
///
/// Matrix products run in OpenBLAS (float32) and oneDNN (bfloat16, convolutions), attention and everything else in
/// loops of our own, chosen for the processor at run time. Threads are ours alone: see ``WorkerPool``.
public struct CPUBackend: Backend {
    /// The loops to use, each set a superset of the one before.
    public enum InstructionSet: Int32, Sendable, Comparable, CaseIterable {
        /// What every processor of the architecture has.
        case baseline = 0
        /// AVX2, FMA, F16C.
        case avx2 = 1
        /// AVX-512 F, BW, DQ, VL.
        case avx512 = 2
        /// AVX-512 BF16.
        case avx512BF16 = 3

        /// The best set of this machine.
        public static let detected = InstructionSet(rawValue: ck_detected_instruction_set()) ?? .baseline

        public static func < (a: InstructionSet, b: InstructionSet) -> Bool { a.rawValue < b.rawValue }
    }

    public let name = "cpu"
    public let computeType: DType
    /// The loops in use.
    public let instructionSet: InstructionSet
    let pool: WorkerPool
    let primitives = PrimitiveCache.shared
    /// Forces linear layers through OpenBLAS and oneDNN, or keeps them out of both; for tests.
    let usesLibraries: Bool?

    /// Whether this machine multiplies bfloat16 natively; without it `.bfloat16` is accepted, but gains nothing.
    public static var supportsBFloat16: Bool { InstructionSet.detected >= .avx512BF16 }

    /// - Parameters:
    ///   - precision: type of the operands of matrix products, `.float32` or `.bfloat16`; any other type is taken as
    ///     float32. Sums, norms and softmax are float32 in both.
    ///   - threads: how many threads work on an operation; at least 1.
    ///   - instructionSet: the loops to use instead of the best ones, for tests; never more than the machine has.
    ///     Does not reach into OpenBLAS and oneDNN.
    public init(precision: DType, threads: Int, instructionSet: InstructionSet? = nil) {
        self.init(precision: precision, threads: threads, instructionSet: instructionSet, usesLibraries: nil)
    }

    init(precision: DType, threads: Int, instructionSet: InstructionSet?, usesLibraries: Bool?) {
        computeType = precision == .bfloat16 ? .bfloat16 : .float32
        self.instructionSet = min(instructionSet ?? .detected, .detected)
        pool = WorkerPool(threads: threads)
        self.usesLibraries = usesLibraries
    }

    /// The set as the kernels know it.
    var set: Int32 { instructionSet.rawValue }
    /// Whether products take bfloat16 operands: asked for, and the machine can.
    var multipliesBFloat16: Bool { computeType == .bfloat16 && instructionSet >= .avx512BF16 }

    /// Before what may take seconds: who stops a run in the middle of a step does not wait for the step's end.
    ///
    /// - Throws: `TensorError` of code `cancelled` in a task that was cancelled.
    func checkCancellation() throws(TensorError) {
        if Task.isCancelled { throw TensorError(.cancelled, "the run was stopped") }
    }

    func type(of result: ResultType) -> DType {
        switch result {
        case .full: .float32
        case .compute: computeType
        }
    }
}
