public import NodeKit

/// How the server is set up (server-api.md §16).
public struct ServeOptions: Sendable {
    /// Addresses to listen at: names, IPv4 or IPv6 addresses.
    public var addresses = ["127.0.0.1"]
    /// 0 lets the system choose.
    public var port = 8188
    /// Where the server speaks TLS: its certificate and key.
    public var tls: TLSFiles?
    /// The secret that requests have to carry; `nil` asks for none.
    public var token: String?
    /// Allows listening beyond this machine without a token.
    public var listensUnprotected = false
    /// Names under which the server is reached, beside its addresses and `localhost`: for proxies in front of it.
    public var allowedHosts: [String] = []
    /// The `Access-Control-Allow-Origin` of every answer; switches the check of origins off.
    public var corsOrigin: String?
    /// Bytes that the body of a request may have.
    public var bodyLimit = 100 << 20
    /// Whether JSON and text answers are compressed for clients that can read that.
    public var compresses = false
    /// How many prompts may wait.
    public var queueLimit = 1000
    /// How many nodes of a prompt there may be.
    public var nodeLimit = 100_000
    /// How many sockets may be open.
    public var socketLimit = 4096
    /// How many connections of any kind may be open.
    public var connectionLimit = 8192
    /// How many prompts run beside each other.
    public var workers = 1
    /// How many nodes of a prompt may compute beside each other.
    public var parallelNodes = 2
    /// The most that a node's own work may take where it has a choice; `nil` for what the machine has.
    public var workingMemory: Int?
    /// The history's bounds: entries and bytes.
    public var historyCount = 10_000
    public var historyBytes = 256 << 20
    /// Where queue, history, settings and user data are kept.
    public var userFolder = "user"
    /// The unpacked front end; `nil` shows a page of our own.
    public var frontEndFolder: String?
    /// One folder of user data for each name of `/users` (server-api.md §7).
    public var hasManyUsers = false
    /// How samplers show what comes.
    public var previewMethod = PreviewOptions.Method.auto
    /// The longer side of previews.
    public var previewSize = 512
    /// Whether written files carry the workflow.
    public var embedsWorkflow = true
    /// Where finished prompts are announced; the secret signs the announcements.
    public var webhooks: [String] = []
    public var webhookSecret: String?
    /// A PEM file of the roots that https webhooks are trusted by; `nil` for the system's.
    public var webhookRoots: String?
    /// The command line, as `/system_stats` shows it.
    public var arguments: [String] = []
    /// How long a request's head may take, and how long a body may stand still.
    public var headSeconds: Int64 = 15
    public var idleSeconds: Int64 = 75
    /// How often silent sockets are asked whether they are there; two questions without an answer close them.
    public var pingSeconds: Int64 = 20

    public init() {}
}

/// What stops the server from starting.
public struct ServeError: Error, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
