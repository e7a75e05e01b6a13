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
    /// Where the user's own libraries of nodes are installed; `nil` for nowhere.
    public var nodeFolder: @Sendable () -> String?
    /// Describes a checkpoint file; prints to the console.
    public var inspect: (@Sendable (_ file: String, _ asJSON: Bool, _ console: any Console) throws -> Void)?
    /// Makes the demo models in a folder; prints to the console.
    public var makeDemoModels: (@Sendable (_ folder: String, _ console: any Console) throws -> Void)?

    public init(
        packs: @escaping @Sendable () -> [NodePack],
        backend: @escaping @Sendable (Precision, _ threads: Int?) throws -> any Backend,
        testingPacks: @escaping @Sendable () -> [NodePack] = { [] },
        nodeFolder: @escaping @Sendable () -> String? = { nil },
        inspect: (@Sendable (_ file: String, _ asJSON: Bool, _ console: any Console) throws -> Void)? = nil,
        makeDemoModels: (@Sendable (_ folder: String, _ console: any Console) throws -> Void)? = nil
    ) {
        self.packs = packs
        self.backend = backend
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
            let type: DType =
                switch precision {
                case .fp32: .float32
                case .bf16: .bfloat16
                case .auto: CPUBackend.supportsBFloat16 ? .bfloat16 : .float32
                }
            return CPUBackend(precision: type, threads: threads ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        },
        testingPacks: { [testingPack] },
        nodeFolder: { NodeFolder.perUser() },
        inspect: { try Inspection.print($0, asJSON: $1, $2) },
        makeDemoModels: { try DemoModels.make(in: $0, $1) })
}

/// The type in which matrix products take their operands.
public enum Precision: String, Sendable, CaseIterable {
    /// bf16 where the processor multiplies it natively, else fp32.
    case auto
    case fp32
    case bf16
}
