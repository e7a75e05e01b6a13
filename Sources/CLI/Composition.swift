import CPUBackend
import ComfyrollNodes
import CoreNodes
import CropAndStitchNodes
import CustomScriptsNodes
import EssentialsNodes
import Glibc
import JPSNodes
import KJNodes
public import NodeKit
import Plugins
import RgthreeNodes
import SmallPacks
public import Tensors
import TestingNodes
import XFluxNodes

/// What the program is made of. The one place that names backends and node packs; everything is made when it is needed,
/// so that `--version` and errors in arguments cost nothing.
public struct Composition: Sendable {
    /// The node packs.
    public var packs: @Sendable () -> [NodePack]
    /// Packs that are there only when asked for: the nodes of tests.
    public var testingPacks: @Sendable () -> [NodePack]
    /// The backend for a precision and a number of threads.
    public var backend: @Sendable (Precision, _ threads: Int?) throws -> any Backend
    /// The type of operands of a precision, and how fast this machine multiplies matrices of it, in GFLOP/s; takes a
    /// moment.
    public var measureSpeed: (@Sendable (Precision, _ threads: Int?) throws -> (DType, Double))?
    /// Where the user's own libraries of nodes are installed; `nil` for nowhere.
    public var nodeFolder: @Sendable () -> String?
    /// Describes a checkpoint file; prints to the console.
    public var inspect: (@Sendable (_ file: String, _ asJSON: Bool, _ console: any Console) throws -> Void)?
    /// Makes the demo models in a folder; prints to the console.
    public var makeDemoModels: (@Sendable (_ folder: String, _ console: any Console) throws -> Void)?

    public init(
        packs: @escaping @Sendable () -> [NodePack],
        backend: @escaping @Sendable (Precision, _ threads: Int?) throws -> any Backend,
        measureSpeed: (@Sendable (Precision, _ threads: Int?) throws -> (DType, Double))? = nil,
        testingPacks: @escaping @Sendable () -> [NodePack] = { [] },
        nodeFolder: @escaping @Sendable () -> String? = { nil },
        inspect: (@Sendable (_ file: String, _ asJSON: Bool, _ console: any Console) throws -> Void)? = nil,
        makeDemoModels: (@Sendable (_ folder: String, _ console: any Console) throws -> Void)? = nil
    ) {
        self.packs = packs
        self.backend = backend
        self.measureSpeed = measureSpeed
        self.testingPacks = testingPacks
        self.nodeFolder = nodeFolder
        self.inspect = inspect
        self.makeDemoModels = makeDemoModels
    }

    /// The program as it is shipped.
    public static let standard = Composition(
        packs: {
            [
                corePack, kjNodesPack, rgthreePack, customScriptsPack, jpsPack, comfyrollPack, essentialsPack,
                cropAndStitchPack, xFluxPack,
            ] + smallPacks
        },
        backend: { precision, threads in
            CPUBackend(precision: operandType(precision), threads: threads ?? processors())
        },
        measureSpeed: { precision, threads in
            let type = operandType(precision)
            // Without the instructions bf16 is computed as float32.
            let multiplied = type == .bfloat16 && CPUBackend.supportsBFloat16 ? DType.bfloat16 : .float32
            let rate = try CPUBackend.measureGEMMPeak(
                precision: multiplied, threads: threads ?? processors(), seconds: 0.2)
            return (type, rate)
        },
        testingPacks: { [testingPack] },
        nodeFolder: { NodeFolder.perUser() },
        inspect: { try Inspection.print($0, asJSON: $1, $2) },
        makeDemoModels: { try DemoModels.make(in: $0, $1) })
}

private func operandType(_ precision: Precision) -> DType {
    switch precision {
    case .fp32: .float32
    case .bf16: .bfloat16
    case .auto: CPUBackend.supportsBFloat16 ? .bfloat16 : .float32
    }
}

private func processors() -> Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

/// The type in which matrix products take their operands.
public enum Precision: String, Sendable, CaseIterable {
    /// bf16 where the processor multiplies it natively, else fp32.
    case auto
    case fp32
    case bf16
}
