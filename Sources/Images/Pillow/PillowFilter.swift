internal import Glibc

/// Pillow's resampling filters; the raw values are the names in workflows.
public enum PillowFilter: String, Sendable, Hashable, CaseIterable {
    case nearest, box, bilinear, hamming, bicubic, lanczos

    /// Half the width of the kernel at scale 1.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    func weight(_ x: Double) -> Double {
        let distance = abs(x)
        switch self {
        case .nearest: return 0
        case .box: return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear: return distance < 1 ? 1 - distance : 0
        case .hamming:
            if distance == 0 { return 1 }
            if distance >= 1 { return 0 }
            let angle = distance * .pi
            return sin(angle) / angle * (0.54 + 0.46 * cos(angle))
        case .bicubic:
            let a = -0.5
            if distance < 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
            if distance < 2 { return (((distance - 5) * distance + 8) * distance - 4) * a }
            return 0
        case .lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
        }
    }

    private func sinc(_ x: Double) -> Double {
        if x == 0 { return 1 }
        return sin(x * .pi) / (x * .pi)
    }
}

/// Which input positions make an output position, with weights in units of 2⁻²²
/// (`families-unet-sampling.md` §18).
struct PillowTaps {
    static let precision = 22

    private(set) var first: [Int] = []
    /// Weights of output i are those from `starts[i]` to `starts[i + 1]`.
    private(set) var starts: [Int] = [0]
    private(set) var weights: [Int32] = []

    init(_ filter: PillowFilter, from input: Int, to output: Int) {
        let scale = Double(input) / Double(output)
        let stretch = max(scale, 1)
        let support = filter.support * stretch
        let inverse = 1 / stretch
        for i in 0..<output {
            let center = (Double(i) + 0.5) * scale
            let low = max(Int(center - support + 0.5), 0)
            let high = min(Int(center + support + 0.5), input)
            var taps: [Double] = []
            var sum = 0.0
            for index in low..<high {
                let weight = filter.weight((Double(index) - center + 0.5) * inverse)
                taps.append(weight)
                sum += weight
            }
            first.append(low)
            for tap in taps {
                let scaled = (sum != 0 ? tap * (1 / sum) : tap) * Double(1 << Self.precision)
                weights.append(Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5))
            }
            starts.append(weights.count)
        }
    }
}
