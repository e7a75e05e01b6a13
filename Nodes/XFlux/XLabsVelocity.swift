import Diffusion
import NodeKit
import Sampling
import Tensors

/// The direction in which XLabs' sampler steps: the network's prediction, guided and controlled.
struct XLabsVelocity {
    let model: DiffusionModel
    let conditioning: ConditioningEntry
    let negative: ConditioningEntry
    let controls: [XLabsControlCondition.Entry]
    let geometry: RunGeometry
    let backend: any Backend

    /// Euler steps along the times.
    ///
    /// - Parameters:
    ///   - steps: the number of steps that the times were made for.
    ///   - guidance: the first step with guidance, and its strength.
    func integrate(
        _ start: Tensor, _ times: [Float], steps: Int, guidance: (from: Int, strength: Float), _ context: NodeContext
    ) throws -> Tensor {
        // Attachments are made once and shared, so that every picture is prepared once.
        let attachments = controls.map { control in
            ControlAttachment(
                control: control.control, image: control.image, strength: Float(control.strength),
                range: PercentRange(start: 0, end: 1), autoencoder: nil)
        }
        var denoisers: [String: any Denoiser] = [:]
        func estimate(_ x: Tensor, _ time: Float, isNegative: Bool, _ active: [Int]) throws -> Tensor {
            let name = "\(isNegative) \(active)"
            let denoiser =
                try denoisers[name]
                ?? {
                    var entry = isNegative ? negative : conditioning
                    if !active.isEmpty { entry[Control.self] = active.map { attachments[$0] } }
                    return try BasicGuider(model: model, conditioning: [entry]).denoiser(for: geometry, on: backend)
                }()
            denoisers[name] = denoiser
            return try denoiser(x, time)
        }
        var x = start
        let total = max(times.count - 1, 0)
        for step in 0..<total {
            try context.checkCancellation()
            let (time, next) = (times[step], times[step + 1])
            guard time > 0 else { break }
            let active = controls.indices.filter { controls[$0].isActive(in: step, of: steps) }
            var denoised = try estimate(x, time, isNegative: false, active)
            if step >= guidance.from {
                let other = try estimate(x, time, isNegative: true, active)
                let strength = guidance.strength
                denoised = try HostMath.zip(denoised, other) { $1 + strength * ($0 - $1) }
            }
            // The velocity is (x − D) / t, and guidance is the same for velocities and estimates.
            let share = (next - time) / time
            x = try HostMath.zip(x, denoised) { $0 + share * ($0 - $1) }
            context.progress(step + 1, of: total)
        }
        return x
    }
}
