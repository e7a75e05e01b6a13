/// Where node types that are not registered come from, for error messages.
enum KnownPacks {
    static func pack(of classType: String) -> String? { nil }
}
