import ArgumentParser
import Glibc
import Server

/// Who reaches the server, and how.
struct NetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Addresses to listen at, separated by commas; all of this machine's without a value.",
            valueName: "addresses"))
    var listen = "127.0.0.1"

    @Option(help: ArgumentHelp("0 lets the system choose.", valueName: "number"))
    var port = 8188

    @Option(help: ArgumentHelp("Speak TLS with this key (PEM).", valueName: "file"))
    var tlsKeyfile: String?

    @Option(
        help: ArgumentHelp(
            "Speak TLS with this certificate (PEM, followed by those that lead to a root). It is read again when it "
                + "changes.", valueName: "file"))
    var tlsCertfile: String?

    @Option(
        help: ArgumentHelp(
            "Ask for this secret: Authorization: Bearer SECRET, or /?token=SECRET once in a browser. GRAPHRUN_TOKEN in "
                + "the environment says the same without showing it to others on this machine.",
            valueName: "secret"))
    var token: String?

    @Flag(help: "Listen beyond this machine without a token: something else keeps others out.")
    var listenUnprotected = false

    @Option(
        name: .customLong("allow-host"),
        help: ArgumentHelp("A name under which a proxy offers the server. Can be repeated.", valueName: "name"))
    var allowedHosts: [String] = []

    @Option(
        name: .customLong("enable-cors-header"),
        help: ArgumentHelp("Let pages of another origin use the server; of any without a value.", valueName: "origin"))
    var corsOrigin: String?

    @Option(
        name: .customLong("max-upload-size"), help: ArgumentHelp("The most a request may carry.", valueName: "MB"))
    var uploadMegabytes = 100.0

    @Flag(
        name: .customLong("enable-compress-response-body"), help: "Compress JSON and text for clients that can read it."
    )
    var compresses = false

    @Option(
        name: .customLong("webhook"),
        help: ArgumentHelp(
            "Tell this address of every prompt that has ended (POST, JSON). Can be repeated.", valueName: "url"))
    var webhooks: [String] = []

    @Option(
        help: ArgumentHelp(
            "Signs what webhooks get; GRAPHRUN_WEBHOOK_SECRET in the environment says the same.", valueName: "secret"))
    var webhookSecret: String?

    @Option(
        help: ArgumentHelp(
            "The roots that https webhooks are trusted by (PEM); the system's if absent.", valueName: "file"))
    var webhookRoots: String?

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port: found \(port), expected 0 to 65535.") }
        guard (tlsKeyfile == nil) == (tlsCertfile == nil) else {
            throw ValidationError(
                "--tls-keyfile and --tls-certfile belong together, found only "
                    + "\(tlsKeyfile == nil ? "--tls-certfile" : "--tls-keyfile").")
        }
        guard uploadMegabytes > 0, uploadMegabytes <= 100_000 else {
            throw ValidationError("--max-upload-size: found \(uploadMegabytes), expected a number of megabytes.")
        }
    }

    func apply(to options: inout ServeOptions) throws {
        options.addresses = listen.split(separator: ",").map {
            String($0).trimmingBlanks
        }.filter { !$0.isEmpty }
        // On Linux the second takes what comes to the first too.
        if options.addresses.contains("::") { options.addresses.removeAll { $0 == "0.0.0.0" } }
        options.port = port
        if let tlsKeyfile, let tlsCertfile { options.tls = TLSFiles(certificates: tlsCertfile, key: tlsKeyfile) }
        options.token = token ?? environmentVariable("GRAPHRUN_TOKEN")
        options.listensUnprotected = listenUnprotected
        options.allowedHosts = allowedHosts
        options.corsOrigin = corsOrigin
        options.bodyLimit = Int(uploadMegabytes * 1048576)
        options.compresses = compresses
        options.webhooks = webhooks
        options.webhookRoots = webhookRoots
        options.webhookSecret = webhookSecret ?? environmentVariable("GRAPHRUN_WEBHOOK_SECRET")
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        String(drop(while: { $0 == " " }).reversed().drop(while: { $0 == " " }).reversed())
    }
}

/// The value of an environment variable; `nil` when it is not set or empty.
private func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}
