/// Holds a pack while it goes through a C function.
private final class PackBox {
    let pack: NodePack
    init(_ pack: NodePack) { self.pack = pack }
}

/// A library of nodes has two C functions. The first tells which NodeKit it was compiled against, as text, so that the
/// program can compare before any Swift value crosses; the second hands the nodes over.
///
/// ```swift
/// import NodeKit
/// import NodeKitBuild
///
/// @c(graphrun_nodes_build) public func nodesBuild() -> UnsafePointer<CChar> { nodekit_build() }
/// @c(graphrun_nodes_pack) public func nodesPack() -> UnsafeMutableRawPointer { pack.handedOver }
/// ```
extension NodePack {
    /// What the function `graphrun_nodes_pack` of a library returns: an owned reference, to be taken once.
    public var handedOver: UnsafeMutableRawPointer { unsafe Unmanaged.passRetained(PackBox(self)).toOpaque() }

    /// The pack in a reference that ``handedOver`` gave. For programs that load libraries.
    ///
    /// The reference must come from ``handedOver`` of the same NodeKit, and is used up.
    public init(takingOver reference: UnsafeMutableRawPointer) {
        self = unsafe Unmanaged<PackBox>.fromOpaque(reference).takeRetainedValue().pack
    }
}
