/// The choices of the rotating nodes.
enum QuarterTurns {
    /// "90 degrees" → 1; everything else than a rotation is none.
    static func count(_ rotation: String) -> Int {
        rotation.hasPrefix("90") ? 1 : rotation.hasPrefix("180") ? 2 : rotation.hasPrefix("270") ? 3 : 0
    }
}
