func nearestName(to text: String, in names: some Sequence<String>) -> String? { nil }
