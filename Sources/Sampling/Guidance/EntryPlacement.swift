import Diffusion
import Tensors

/// The area and weights of a conditioning entry on a latent of known size (spec: families-unet-sampling.md §12).
enum EntryPlacement {
    static func resolve(_ entry: ConditioningEntry, latentShape: Shape) throws -> (LatentArea?, mask: Tensor?) {
        let (batch, rows, columns) = (latentShape[0], latentShape[2], latentShape[3])
        var area = try entry[EntryArea.self].map { try Self.area($0, rows: rows, columns: columns) }
        guard let mask = entry[EntryMask.self] else { return (area, nil) }
        let resized = try NoiseMask.resized(mask, rows: rows, columns: columns)
        if entry[EntryAreaFromMask.self] == true { area = try bounds(resized) }
        let strength = entry[EntryMaskStrength.self] ?? 1
        let cut = try area.map { try $0.crop(resized) } ?? resized
        return (area, try Elementwise.map(HostMath.cycleBatch(cut, to: batch)) { $0 * strength })
    }

    /// The area of an entry inside the latent.
    ///
    /// - Throws: ``SamplingError/Code/parameter`` for an area that lies outside.
    static func area(_ value: EntryArea.Value, rows: Int, columns: Int) throws -> LatentArea {
        let wanted: LatentArea
        switch value {
        case .elements(let height, let width, let y, let x):
            wanted = LatentArea(height: height, width: width, y: y, x: x)
        case .fractions(let height, let width, let y, let x):
            func part(_ fraction: Double, _ size: Int) throws -> Int {
                let value = (fraction * Double(size)).rounded(.toNearestOrEven)
                guard let part = Int(exactly: value) else {
                    throw SamplingError(.parameter, "a conditioning area of \(fraction) of the latent is no area")
                }
                return part
            }
            wanted = LatentArea(
                height: max(try part(height, rows), 1), width: max(try part(width, columns), 1),
                y: try part(y, rows), x: try part(x, columns))
        }
        guard wanted.y >= 0, wanted.x >= 0, wanted.height > 0, wanted.width > 0, wanted.y < rows, wanted.x < columns
        else {
            throw SamplingError(
                .parameter,
                "a conditioning area of \(wanted) lies outside the latent, which is \(columns)×\(rows) (in units of 8 "
                    + "pixels)")
        }
        return LatentArea(
            height: min(wanted.height, rows - wanted.y), width: min(wanted.width, columns - wanted.x), y: wanted.y,
            x: wanted.x)
    }

    /// The bounding box of what is not zero in any item of a mask `[batch, 1, h, w]`, at least 8 × 8.
    private static func bounds(_ mask: Tensor) throws -> LatentArea {
        let (batch, rows, columns) = (mask.shape[0], mask.shape[2], mask.shape[3])
        let values = try mask.floats()
        var (top, bottom, left, right) = (rows, -1, columns, -1)
        for item in 0..<batch {
            for row in 0..<rows {
                for column in 0..<columns where values[(item * rows + row) * columns + column] != 0 {
                    (top, bottom) = (min(top, row), max(bottom, row))
                    (left, right) = (min(left, column), max(right, column))
                }
            }
        }
        if bottom < 0 { return LatentArea(height: min(8, rows), width: min(8, columns), y: 0, x: 0) }
        return LatentArea(
            height: min(max(bottom - top + 1, 8), rows - top), width: min(max(right - left + 1, 8), columns - left),
            y: top, x: left)
    }
}

/// For every entry with an area, the other conditionings get one with the same area if they have none, so that both
/// sides of the guidance formula are weighted alike (spec: families-unet-sampling.md §12).
enum AreaMirroring {
    static func applied(to conditionings: [Conditioning], latentShape: Shape) throws -> [Conditioning] {
        guard
            conditionings.contains(where: {
                $0.contains { $0[EntryArea.self] != nil || $0[EntryAreaFromMask.self] == true }
            })
        else {
            return conditionings
        }
        func area(_ entry: ConditioningEntry) throws -> LatentArea? {
            try EntryPlacement.resolve(entry, latentShape: latentShape).0
        }
        var result = conditionings
        for source in conditionings.indices {
            for entry in conditionings[source] {
                guard let wanted = try area(entry) else { continue }
                for target in result.indices where target != source {
                    var smallest: (entry: ConditioningEntry, area: LatentArea?)?
                    var exists = false
                    for candidate in result[target] {
                        let found = try area(candidate)
                        if found == wanted {
                            exists = true
                            break
                        }
                        if let found {
                            guard found.contains(wanted) else { continue }
                            if let known = smallest?.area, known.height * known.width <= found.height * found.width {
                                continue
                            }
                            smallest = (candidate, found)
                        } else if smallest == nil {
                            smallest = (candidate, nil)
                        }
                    }
                    guard !exists, let smallest else { continue }
                    // The text of the other side, the options of this one.
                    var mirrored = smallest.entry
                    mirrored[EntryArea.self] = entry[EntryArea.self]
                    mirrored[EntryMask.self] = entry[EntryMask.self]
                    mirrored[EntryMaskStrength.self] = entry[EntryMaskStrength.self]
                    mirrored[EntryAreaFromMask.self] = entry[EntryAreaFromMask.self]
                    mirrored[EntryStrength.self] = entry[EntryStrength.self]
                    mirrored[TimestepRange.self] = entry[TimestepRange.self]
                    mirrored[Control.self] = entry[Control.self]
                    mirrored[ControlForNegative.self] = entry[ControlForNegative.self]
                    result[target].append(mirrored)
                }
            }
        }
        return result
    }
}
