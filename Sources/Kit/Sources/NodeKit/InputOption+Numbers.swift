import JSON

extension InputOption {
    /// Smallest allowed number.
    public static func min(_ value: Int) -> InputOption { min(.int(Int64(value))) }
    /// Largest allowed number.
    public static func max(_ value: Int) -> InputOption { max(.int(Int64(value))) }
    /// Smallest allowed number.
    public static func min(_ value: Double) -> InputOption { min(.double(value)) }
    /// Largest allowed number.
    public static func max(_ value: Double) -> InputOption { max(.double(value)) }
}
