/// Options of `main.py` may stand without their value; the parser wants one.
enum ServeArguments {
    /// What such an option means without a value.
    private static let values = [
        "--listen": "0.0.0.0,::", "--enable-cors-header": "*", "--verbose": "DEBUG", "--cache-ram": "0",
    ]

    /// The command line of `graphrun serve` with these values; other command lines as they are.
    static func completed(_ arguments: [String]) -> [String] {
        guard arguments.first == "serve" else { return arguments }
        var out: [String] = []
        for (index, argument) in arguments.enumerated() {
            out.append(argument)
            guard let value = values[argument] else { continue }
            let next = index + 1 < arguments.count ? arguments[index + 1] : "-"
            if next.hasPrefix("-") { out.append(value) }
        }
        return out
    }

    /// A command line that may be shown to clients.
    static func withoutSecrets(_ arguments: [String]) -> [String] {
        let secret = ["--token", "--webhook-secret", "--webhook"]
        var out: [String] = []
        for (index, argument) in arguments.enumerated() {
            if index > 0, secret.contains(arguments[index - 1]) {
                out.append("***")
            } else if let name = secret.first(where: { argument.hasPrefix($0 + "=") }) {
                out.append(name + "=***")
            } else {
                out.append(argument)
            }
        }
        return out
    }
}
