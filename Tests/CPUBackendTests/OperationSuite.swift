import Tensors
import TestSupport
import Testing

@testable import CPUBackend

/// A backend under test.
struct Candidate: Sendable, CustomTestStringConvertible {
    let name: String
    let backend: CPUBackend
    /// Whether products round their operands to bfloat16.
    var isCoarse: Bool { backend.computeType == .bfloat16 }
    var testDescription: String { name }

    /// Every set of loops the machine has, in both precisions, with one and more threads, and with linear layers
    /// forced through the libraries and through our own loops.
    static let all: [Candidate] = {
        var candidates: [Candidate] = []
        func add(_ name: String, _ precision: DType, _ set: CPUBackend.InstructionSet, libraries: Bool?) {
            let backend = CPUBackend(
                precision: precision, threads: set == .baseline ? 1 : 3, instructionSet: set, usesLibraries: libraries)
            candidates.append(Candidate(name: "\(set) \(precision.rawValue)\(name)", backend: backend))
        }
        for precision in [DType.float32, .bfloat16] {
            for set in CPUBackend.InstructionSet.allCases where set <= .detected {
                add("", precision, set, libraries: nil)
            }
            add(" libraries", precision, .detected, libraries: true)
            add(" loops", precision, .avx2, libraries: false)
            add(" loops", precision, .baseline, libraries: false)
        }
        return candidates
    }()
}

/// Every operation of the CPU backend against the plain reference.
@Suite struct OperationSuite {
    static let cases = linearCases + attentionCases + rowCases + pictureCases
    /// Computed once: the reference is slow.
    static let expected: [String: Result<Tensor, any Error>] = Dictionary(
        uniqueKeysWithValues: cases.map { one in (one.name, Result { try one.run(ReferenceBackend()) }) })

    @Test(arguments: Candidate.all, cases)
    func matchesReference(_ candidate: Candidate, _ operation: OperationCase) throws {
        let expected = try #require(Self.expected[operation.name]).get()
        let found = try operation.run(candidate.backend)
        #expect(found.shape == expected.shape)
        let error = try normalisedError(found, expected)
        #expect(error <= (candidate.isCoarse ? operation.coarse : operation.tolerance), "\(error)")
    }

    @Test func resultTypes() throws {
        let backend = CPUBackend(precision: .bfloat16, threads: 2)
        let x = try noise([1, 20, 32], 1)
        let layer = LinearWeight(matrix: try noise([16, 32], 2))
        #expect(try backend.linear(x, layer, LinearEpilogue(result: .compute)).dtype == .bfloat16)
        #expect(try backend.linear(x, layer).dtype == .float32)
        #expect(try backend.joinHeads([HeadPart(x)], heads: 2, epsilon: 1e-6, rotary: nil).dtype == .bfloat16)
        let attended = try backend.attention(x, x, x, heads: 2, scale: 1, mask: .none, result: .compute)
        #expect(attended.dtype == .bfloat16)
        #expect(try CPUBackend(precision: .float32, threads: 2).activate(x, .silu, result: .compute).dtype == .float32)
    }
}
