import CPUBackend
import Foundation
import Tensors

/// The shortest time of one call of `body`, of those that fit into the time asked for (at least two after a warm-up):
/// seconds, or processor seconds per thread.
func shortest(_ options: Options, _ body: () throws -> Void) rethrows -> Double {
    try body()
    var best = Double.infinity
    var calls = 0
    let start = MeasuringClock.wall.seconds
    repeat {
        let before = options.clock.seconds
        try body()
        let time = options.clock.seconds - before
        best = min(best, options.clock == .processor ? time / Double(options.threads) : time)
        calls += 1
    } while MeasuringClock.wall.seconds - start < options.seconds || calls < 2
    return best
}

func column(_ value: Double, _ digits: Int = 1, width: Int = 9) -> String {
    let text = String(format: "%.\(digits)f", value)
    return String(repeating: " ", count: max(0, width - text.count)) + text
}

func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}

/// A tensor of numbers between -scale and scale.
func filled(_ shape: Shape, _ type: DType = .float32, scale: Float = 1) throws -> Tensor {
    var state: UInt64 = 88_172_645_463_325_252
    let tensor = try Tensor.build(shape, of: Float.self) { out in
        for i in out.indices {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            out[i] = (Float(state >> 40) / Float(1 << 23) - 1) * scale
        }
    }
    return type == .float32 ? tensor : try tensor.converted(to: type)
}
