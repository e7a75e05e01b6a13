/// Media types by the ending of a file's name.
enum ContentType {
    static let unknown = "application/octet-stream"

    /// For the program's own files and the front end's, which are trusted to be what they are called.
    static func ofAsset(_ name: String) -> String { assets[ending(name)] ?? unknown }

    /// For files that users and workflows have made: what a browser would run as a page or script, with the origin of
    /// this server, is only data (server-api.md §5.3).
    static func ofUserFile(_ name: String) -> String {
        let ending = ending(name)
        return active.contains(ending) ? unknown : assets[ending] ?? unknown
    }

    /// The lower-case letters after the last dot.
    static func ending(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }

    /// SVG and XML among them: they carry scripts too.
    private static let active: Set<String> = [
        "htm", "html", "xhtml", "xht", "shtml", "js", "mjs", "cjs", "css", "svg", "svgz", "xml", "xsl", "xslt", "mht",
        "mhtml", "wasm", "pdf", "swf", "htc", "hta", "jsonld",
    ]

    private static let assets: [String: String] = [
        "html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8",
        "cjs": "text/javascript; charset=utf-8",
        "css": "text/css; charset=utf-8", "json": "application/json; charset=utf-8",
        "map": "application/json; charset=utf-8", "webmanifest": "application/manifest+json",
        "txt": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8",
        "xml": "application/xml", "yaml": "application/yaml", "yml": "application/yaml",
        "png": "image/png", "apng": "image/apng", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp",
        "gif": "image/gif", "bmp": "image/bmp", "avif": "image/avif", "heic": "image/heic", "jxl": "image/jxl",
        "tif": "image/tiff", "tiff": "image/tiff", "svg": "image/svg+xml", "ico": "image/x-icon",
        "cur": "image/x-icon",
        "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
        "eot": "application/vnd.ms-fontobject",
        "wasm": "application/wasm", "pdf": "application/pdf",
        "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "mkv": "video/x-matroska",
        "mov": "video/quicktime", "avi": "video/x-msvideo",
        "mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg", "opus": "audio/ogg",
        "m4a": "audio/mp4", "aac": "audio/aac",
        "glb": "model/gltf-binary", "gltf": "model/gltf+json", "obj": "model/obj", "stl": "model/stl",
    ]
}
