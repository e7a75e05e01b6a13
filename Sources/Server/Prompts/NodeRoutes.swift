import Engine
import Glibc
import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore
import NodeKit

/// What nodes, models and machine there are (server-api.md §3, §6).
func addNodeRoutes(to routes: inout RouteTable, _ server: ServerContext) {
    let info = server.objectInfo
    routes.get(
        "/object_info",
        RouteDescription(
            "All node types.", tag: "nodes", answers: [.init(200, "Entries by name.", .object)])
    ) { _ in
        let registry = await server.nodes.registry
        return .json(bytes: await onThread { info.all(registry, server.files) })
    }
    routes.get(
        "/object_info/{class}",
        RouteDescription(
            "One node type.", tag: "nodes", parameters: [.init("class", in: .path, "The node type (class_type).")],
            answers: [.init(200, "Its entry under its name, or nothing.", .object)])
    ) { request in
        let name = request.parameter("class")
        guard let definition = await server.nodes.registry[name] else { return .json(.object(JSONObject())) }
        let entry = await onThread { definition.schema.objectInfo { $0.names(in: server.files) } }
        return .json(.object([name: entry]))
    }
    routes.get(
        "/embeddings",
        RouteDescription(
            "The embeddings' names, without extension.", tag: "models",
            answers: [.init(200, "Names.", .json(.list(of: .type("string"))))])
    ) { _ in
        let names = await onThread { server.files.modelNames("embeddings") }
        return .json(
            .array(names.map { name in .string(name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name) }))
    }
    routes.get(
        "/models",
        RouteDescription(
            "The types of model folders.", tag: "models",
            answers: [.init(200, "Names of types.", .json(.list(of: .type("string"))))])
    ) { _ in .json(.array(server.modelTypes.all.map { .string($0) })) }
    routes.get(
        "/models/{type}",
        RouteDescription(
            "The files of a type.", tag: "models", parameters: [.init("type", in: .path, "The type.")],
            answers: [
                .init(200, "Names relative to their folder.", .json(.list(of: .type("string")))),
                .init(404, "There is no such type."),
            ])
    ) { request in
        let type = request.parameter("type")
        guard server.modelTypes.known(type) != nil else { return .empty(.notFound) }
        return .json(.array(await onThread { server.files.modelNames(type) }.map { .string($0) }))
    }
    routes.get(
        "/system_stats",
        RouteDescription(
            "Machine and versions.", tag: "server", answers: [.init(200, "system and devices.", .object)])
    ) { _ in .json(systemStats(server)) }
}

private func systemStats(_ server: ServerContext) -> JSON {
    let total = Int64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * Int64(max(0, sysconf(Int32(_SC_PAGESIZE))))
    let free = Int64(AvailableMemory.bytes())
    let system: JSONObject = [
        "os": .string("posix"), "ram_total": .int(total), "ram_free": .int(free),
        // The version whose API this is.
        "comfyui_version": .string("0.3.64"), "required_frontend_version": .string("1.27.10"),
        "installed_templates_version": .string(""), "required_templates_version": .string(""),
        "python_version": .string("none: graphrun \(server.version)"), "pytorch_version": .string("none"),
        "embedded_python": .bool(false), "argv": .array(server.options.arguments.map { .string($0) }),
    ]
    let device: JSONObject = [
        "name": .string("cpu"), "type": .string("cpu"), "index": .null, "vram_total": .int(total),
        "vram_free": .int(free), "torch_vram_total": .int(total), "torch_vram_free": .int(free),
    ]
    return .object(["system": .object(system), "devices": .array([.object(device)])])
}
