import Images
import NodeKit
import Tensors

/// The pictures of two batches; the second are brought to the size of the first.
struct ImageBatch: Node {
    static let info = NodeInfo("ImageBatch", displayName: "Batch Images", category: "image")

    @Input var image1: Image
    @Input var image2: Image
    @Output var batch: Image

    func run(_ context: NodeContext) async throws {
        batch = Image(try joinImageBatches(image1.tensor, image2.tensor))
    }
}

/// Some pictures of a batch.
struct ImageFromBatch: Node {
    static let info = NodeInfo("ImageFromBatch", category: "image/batch")

    @Input var image: Image
    @Input(.range(0...4095)) var batchIndex = 0
    @Input(.range(1...4096)) var length = 1
    @Output var part: Image

    func run(_ context: NodeContext) async throws {
        let range = BatchRange.clamped(batchIndex, length, of: image.batch)
        part = Image(try image.tensor.slice(axis: 0, range).asFloat32())
    }
}

/// A batch several times over.
struct RepeatImageBatch: Node {
    static let info = NodeInfo("RepeatImageBatch", category: "image/batch")

    @Input var image: Image
    @Input(.range(1...4096)) var amount = 1
    @Output var repeated: Image

    func run(_ context: NodeContext) async throws {
        let count = try BatchRange.repeated(image.batch, amount)
        repeated = Image(try HostMath.cycleBatch(image.tensor, to: count))
    }
}

/// The pictures of all batches in batches of another size.
struct RebatchImages: Node {
    static let info = NodeInfo("RebatchImages", displayName: "Rebatch Images", category: "image/batch", style: .v3)

    @Input var images: [Image]
    @Input(.range(1...4096)) var batchSize = 1
    @Output var batches: [Image]

    func run(_ context: NodeContext) async throws {
        batches = try BatchRange.rebatched(images.map(\.tensor), size: batchSize).map(Image.init)
    }
}
