import Glibc

/// The times of XLabs' sampler (pack-nodes.md §6).
enum XLabsSchedule {
    /// `steps` + 1 times from 1 to 0, shifted by a μ that is linear in the number of tokens: 0.5 at 256, 1.15 at 4096.
    static func times(steps: Int, tokens: Int) -> [Float] {
        let mu = 0.5 + (1.15 - 0.5) * (Double(tokens) - 256) / (4096 - 256)
        let scale = exp(mu)
        return (0...steps).map { step in
            let t = 1 - Double(step) / Double(steps)
            return t == 0 ? 0 : Float(scale / (scale + (1 / t - 1)))
        }
    }

    /// The part of the times that is worked off.
    ///
    /// - Parameters:
    ///   - denoise: up to 0.99 the share of the times that are kept, from the start.
    ///   - imageStrength: above 0 the run starts from a picture, and is the longer the stronger it is changed; 0 without one.
    static func part(of times: [Float], denoise: Double, imageStrength: Double) -> [Float] {
        var times = times
        if denoise <= 0.99 { times = Array(times.prefix(Int(Double(times.count) * min(max(denoise, 0), 1)))) }
        guard imageStrength > 0 else { return times }
        let index = Int((1 - min(imageStrength, 1)) * Double(times.count))
        return Array(times.dropFirst(min(max(index, 0), max(times.count - 1, 0))))
    }
}
