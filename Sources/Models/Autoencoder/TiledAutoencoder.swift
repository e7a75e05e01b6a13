public import Diffusion
public import Tensors

/// A VAE that can work on one part of a picture after the other: less memory, slightly different pictures.
public protocol TiledAutoencoder: Autoencoder {
    /// ``Autoencoder/decode(_:on:)`` in overlapping tiles.
    ///
    /// - Parameters:
    ///   - tile: side of a tile in latent elements; `overlap` of neighbours.
    func decodeTiled(_ latent: Tensor, tile: Int, overlap: Int, on backend: any Backend) throws -> Tensor
    /// ``Autoencoder/encode(_:on:)`` in overlapping tiles.
    ///
    /// - Parameters:
    ///   - tile: side of a tile in pixels, a multiple of 16; `overlap` of neighbours.
    func encodeTiled(_ image: Tensor, tile: Int, overlap: Int, on backend: any Backend) throws -> Tensor
    /// Bytes of working memory for decoding, or encoding, a picture of so many pixels in one piece.
    func workingBytes(decoding: Bool, pixels: Int) -> Int
}

extension TiledAutoencoder {
    /// ``Autoencoder/decode(_:on:)`` in one piece where it fits, else in the largest tiles that do.
    ///
    /// - Parameters:
    ///   - memory: bytes that the work may take; `nil`: as many as it likes.
    ///   - note: told about tiles, which make a slightly different picture.
    public func decode(
        _ latent: Tensor, within memory: Int?, on backend: any Backend, note: (String) -> Void
    ) throws -> Tensor {
        let pixels = latent.shape.rank == 4 ? latent.shape[2] * latent.shape[3] * downscale * downscale : 0
        guard let side = tileSide(decoding: true, pixels: pixels, within: memory) else {
            return try decode(latent, on: backend)
        }
        note(message(decoding: true, pixels, side))
        return try decodeTiled(latent, tile: side / downscale, overlap: side / downscale / 4, on: backend)
    }

    /// ``Autoencoder/encode(_:on:)`` in one piece where it fits, else in the largest tiles that do.
    public func encode(
        _ image: Tensor, within memory: Int?, on backend: any Backend, note: (String) -> Void
    ) throws -> Tensor {
        let pixels = image.shape.rank == 4 ? image.shape[1] * image.shape[2] : 0
        guard let side = tileSide(decoding: false, pixels: pixels, within: memory) else {
            return try encode(image, on: backend)
        }
        note(message(decoding: false, pixels, side))
        return try encodeTiled(image, tile: side, overlap: side / 4, on: backend)
    }

    /// The side of tiles in pixels, a multiple of 128; `nil` where none are needed. No tile is smaller than 256: below
    /// that the picture suffers more than the memory.
    func tileSide(decoding: Bool, pixels: Int, within memory: Int?) -> Int? {
        guard let memory, pixels > 256 * 256, workingBytes(decoding: decoding, pixels: pixels) > memory else {
            return nil
        }
        // Sums of tiles and of three passes, 4 bytes for each of 3 colours.
        let room = memory - min(memory / 2, 3 * 12 * pixels)
        var side = 256
        while side < 4096, (side + 128) * (side + 128) < pixels,
            workingBytes(decoding: decoding, pixels: (side + 128) * (side + 128)) <= room
        {
            side += 128
        }
        return side
    }

    private func message(decoding: Bool, _ pixels: Int, _ side: Int) -> String {
        let needed = (workingBytes(decoding: decoding, pixels: pixels) + (1 << 20) - 1) >> 20
        return
            "\(decoding ? "decoding" : "encoding") in one piece would take \(needed) MiB, more than is left; the VAE "
            + "works in tiles of \(side) × \(side) pixels"
    }
}

/// One pass over a picture `[1, h, w, channels]` in tiles (families-unet-sampling.md §7, "Tiled decode").
struct TilePass {
    var width: Int
    var height: Int
    var overlap: Int
    /// Lines over which the results of neighbours fade into each other.
    var ramp: Int
    /// Size of the result in units of 1/`divisor` of the input's size.
    var factor: Int
    var divisor: Int

    /// - Parameter body: from a tile to its result, `factor/divisor` times as large.
    func callAsFunction(_ x: Tensor, _ body: (Tensor) throws -> Tensor) throws -> Tensor {
        let (rows, columns) = (x.shape[1], x.shape[2])
        if rows <= height, columns <= width { return try body(x) }
        guard overlap < min(width, height) else {
            throw TensorError(
                .unsupported,
                "tiles of \(width) × \(height) cannot overlap by \(overlap): choose a larger tile or a smaller overlap")
        }
        let (outRows, outColumns) = (rows * factor / divisor, columns * factor / divisor)
        var sums: [Float] = []
        var weights = [Float](repeating: 0, count: outRows * outColumns)
        var channels = 0
        for top in origins(rows, height) {
            for left in origins(columns, width) {
                let part = try x.slice(axis: 1, top..<min(top + height, rows))
                    .slice(axis: 2, left..<min(left + width, columns)).asFloat32()
                let result = try body(part)
                channels = result.shape[3]
                if sums.isEmpty { sums = [Float](repeating: 0, count: outRows * outColumns * channels) }
                let (h, w) = (result.shape[1], result.shape[2])
                let (y, x) = (top * factor / divisor, left * factor / divisor)
                guard y + h <= outRows, x + w <= outColumns else {
                    throw TensorError(.shapeMismatch, "a tile's result \(result.shape) leaves the picture")
                }
                let (vertical, horizontal) = (fade(h), fade(w))
                try result.withElements(of: Float.self) { values in
                    for row in 0..<h {
                        for column in 0..<w {
                            let weight = vertical[row] * horizontal[column]
                            let target = (y + row) * outColumns + x + column
                            weights[target] += weight
                            let from = (row * w + column) * channels
                            for c in 0..<channels { sums[target * channels + c] += values[from + c] * weight }
                        }
                    }
                }
            }
        }
        for i in sums.indices { sums[i] /= weights[i / channels] }
        return try Tensor(sums, shape: [1, outRows, outColumns, channels])
    }

    /// How many tiles a picture is cut into.
    func tileCount(height rows: Int, width columns: Int) -> Int {
        if rows <= height, columns <= width { return 1 }
        return overlap < min(width, height) ? origins(rows, height).count * origins(columns, width).count : 1
    }

    private func origins(_ size: Int, _ tile: Int) -> [Int] {
        if size <= tile { return [0] }
        return stride(from: 0, to: size - overlap, by: tile - overlap).map { max(0, min($0, size - overlap)) }
    }

    /// 1, rising from 1/ramp at both ends.
    private func fade(_ count: Int) -> [Float] {
        var weights = [Float](repeating: 1, count: count)
        guard ramp < count else { return weights }
        for i in 0..<ramp {
            weights[i] *= Float(i + 1) / Float(ramp)
            weights[count - 1 - i] *= Float(i + 1) / Float(ramp)
        }
        return weights
    }
}

extension KLAutoencoder: TiledAutoencoder {
    /// At full size the first residual block of the decoder's last level holds a picture of twice the base width, its
    /// norm and the convolution's result; that of the encoder three of the base width. The smaller levels take a
    /// quarter of that at most.
    public func workingBytes(decoding: Bool, pixels: Int) -> Int {
        let base = decoder.norm.weight.count
        return pixels * base * 4 * (decoding ? 5 : 3)
    }

    public func decodeTiled(_ latent: Tensor, tile: Int, overlap: Int, on b: any Backend) throws -> Tensor {
        try requireLatent(latent)
        let sizes = [(tile / 2, tile * 2), (tile * 2, tile / 2), (tile, tile)]
        return try averaged(latent.permuted([0, 2, 3, 1]), sizes, overlap, ramp: overlap * downscale, by: downscale, 1)
        {
            try b.host(decoder(b.place($0), on: b))
        } finish: {
            min(max(($0 + 1) / 2, 0), 1)
        }
    }

    public func encodeTiled(_ image: Tensor, tile: Int, overlap: Int, on b: any Backend) throws -> Tensor {
        let encoder = try requireEncoder()
        let cropped = try HostMath.map(self.cropped(image)) { 2 * $0 - 1 }
        let sizes = [(tile, tile), (tile * 2, tile / 2), (tile / 2, tile * 2)]
        return try averaged(cropped, sizes, overlap, ramp: overlap / downscale, by: 1, downscale) {
            try b.host(encoder(b.place($0), on: b))
        } finish: {
            $0
        }
        .permuted([0, 3, 1, 2]).asFloat32()
    }

    /// The mean of passes with tiles of several sizes, so that the seams of one lie inside the tiles of another.
    private func averaged(
        _ x: Tensor, _ sizes: [(width: Int, height: Int)], _ overlap: Int, ramp: Int, by factor: Int, _ divisor: Int,
        _ body: (Tensor) throws -> Tensor, finish: (Float) -> Float
    ) throws -> Tensor {
        var items: [Tensor] = []
        for index in 0..<x.shape[0] {
            let item = try x.slice(axis: 0, index..<index + 1).asFloat32()
            var sum: Tensor?
            for size in sizes {
                let pass = TilePass(
                    width: size.width, height: size.height, overlap: overlap, ramp: ramp, factor: factor,
                    divisor: divisor)
                let result = try pass(item, body)
                sum = try sum.map { try HostMath.add($0, result) } ?? result
            }
            guard let sum else { continue }
            let count = Float(sizes.count)
            items.append(try HostMath.map(sum) { finish($0 / count) })
        }
        return try HostMath.concatenate(items, axis: 0)
    }
}
