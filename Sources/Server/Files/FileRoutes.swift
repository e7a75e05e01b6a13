/// Routes of files: pictures, user data, models, the front end, and the description of all routes.
///
/// To be called when all others are registered: the front end's files are whatever no route is for.
func addFileRoutes(to routes: inout RouteTable, _ server: ServerContext) {
    let service = FileService(server.options, server.files)
    service.addViewRoutes(to: &routes)
    service.addUploadRoutes(to: &routes)
    service.addFolderListRoutes(to: &routes)
    service.addUserRoutes(to: &routes)
    service.addSettingsRoutes(to: &routes)
    service.addUserDataRoutes(to: &routes)
    service.addModelRoutes(to: &routes)
    addLogRoutes(to: &routes, server)
    let frontEnd = server.options.frontEndFolder.flatMap(FrontEnd.init)
    if let folder = server.options.frontEndFolder, frontEnd == nil {
        server.log.error("--front-end \(folder): no index.html is there; \"make front-end\" fetches the editor")
    }
    addFrontEndRoutes(to: &routes, frontEnd, server)
    addOpenAPIRoute(to: &routes, server)
}
