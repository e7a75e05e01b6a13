internal import Synchronization
internal import Tensors

/// Convolution kernels in the layouts that oneDNN wants, kept from call to call: packing a kernel costs as much memory
/// traffic as a small convolution.
final class KernelCache: Sendable {
    /// One for the process, as the primitives are.
    static let shared = KernelCache(byteLimit: 2 << 30)

    private struct Place: Hashable {
        var storage: ObjectIdentifier
        var offset: Int
        var count: Int
    }
    private struct Entry {
        /// Does not keep the model alive; an object that took the place of a freed one is another.
        weak var storage: (any Storage)?
        let layout: Primitive
        let packed: Tensor
        var lastUse: Int
    }
    private struct State {
        var entries: [Place: [Entry]] = [:]
        var byteCount = 0
        var clock = 0
    }
    private let byteLimit: Int
    private let state = Mutex(State())

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// The kernel in the layout of a primitive, packed by `pack` if it is not known.
    func packed(
        _ kernel: Tensor, for primitive: Primitive, _ pack: () throws(TensorError) -> Tensor
    ) throws(TensorError) -> Tensor {
        let place = Place(storage: ObjectIdentifier(kernel.storage), offset: kernel.offset, count: kernel.count)
        let known = state.withLock { state -> Tensor? in
            state.clock += 1
            guard var list = state.entries[place],
                let index = list.firstIndex(where: {
                    $0.storage === kernel.storage && $0.layout.wantsSameKernel(as: primitive)
                })
            else { return nil }
            list[index].lastUse = state.clock
            state.entries[place] = list
            return list[index].packed
        }
        if let known { return known }
        let made = try pack()
        state.withLock { state in
            state.entries[place, default: []].append(
                Entry(storage: kernel.storage, layout: primitive, packed: made, lastUse: state.clock))
            state.byteCount += made.count
            if state.byteCount > byteLimit { Self.shrink(&state, to: byteLimit / 4 * 3) }
        }
        return made
    }

    /// Drops what belongs to freed weights, then what was not used for longest.
    private static func shrink(_ state: inout State, to limit: Int) {
        for (place, list) in state.entries {
            let live = list.filter { $0.storage != nil }
            state.byteCount -= list.reduce(0) { $0 + $1.packed.count } - live.reduce(0) { $0 + $1.packed.count }
            state.entries[place] = live.isEmpty ? nil : live
        }
        let byAge = state.entries.map { (place: $0.key, age: $0.value.map(\.lastUse).max() ?? 0) }
            .sorted { $0.age < $1.age }
        for (place, _) in byAge where state.byteCount > limit {
            state.byteCount -= state.entries[place]?.reduce(0) { $0 + $1.packed.count } ?? 0
            state.entries[place] = nil
        }
    }

    /// Bytes that packed kernels take now.
    var byteCount: Int { state.withLock { $0.byteCount } }
}
