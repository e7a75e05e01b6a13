extension WeightSource {
    /// The dimensions of a weight from which a configuration is read.
    ///
    /// - Throws: ``CheckpointError`` when it is missing, of another rank or empty.
    public func dimensions(_ key: String, rank: Int) throws(CheckpointError) -> [Int] {
        guard let shape = shape(key) else {
            throw CheckpointError(
                .missingKey, "\(name): the key \"\(key)\" is missing; the file is incomplete or of another model family"
            )
        }
        guard shape.count == rank, shape.allSatisfy({ $0 > 0 }) else {
            throw CheckpointError(
                .shapeMismatch, "\(name): \"\(key)\" has the shape \(shape), expected \(rank) dimensions above 0")
        }
        return shape
    }
}
