import Checkpoints
import Layers
import Tensors
import Testing

@Suite struct PositionGridTests {
    /// A grid of one number per position.
    private func grid(_ values: [Float]) throws -> PositionGrid {
        let tensor = try Tensor(values, shape: [1, values.count, 1])
        let source = WeightSource(
            name: "test", pieces: ["grid": [WeightPiece(rows: 0..<1, tensor: tensor, fileKey: "grid")]])
        return try PositionGrid(Weights(source), "grid", width: 1)
    }

    @Test func theMiddleIsTaken() throws {
        let grid = try grid((0..<16).map { Float($0) })
        #expect(try grid.window(rows: 2, columns: 2).floats() == [5, 6, 9, 10])
        // An odd rest goes to the end.
        #expect(try grid.window(rows: 1, columns: 3).floats() == [4, 5, 6])
        #expect(try grid.enlargedWindow(rows: 4, columns: 1).floats() == [1, 5, 9, 13])
    }

    /// Half-pixel centres: 0, ¼, ¾, 1 between two neighbours. Enlargement is square whatever the picture's form.
    @Test func largerPicturesGetAnEnlargedGrid() throws {
        let grid = try grid([0, 1, 2, 3])
        let square = try grid.enlargedWindow(rows: 4, columns: 4).floats()
        #expect(square == [0, 0.25, 0.75, 1, 0.5, 0.75, 1.25, 1.5, 1.5, 1.75, 2.25, 2.5, 2, 2.25, 2.75, 3])
        #expect(try grid.enlargedWindow(rows: 1, columns: 4).floats() == Array(square[4..<8]))
    }

    @Test func badTablesAreNamed() throws {
        #expect(throws: CheckpointError.self) { try grid([1, 2, 3]) }
        #expect(throws: TensorError.self) { try grid([1, 2, 3, 4]).window(rows: 3, columns: 1) }
    }
}
