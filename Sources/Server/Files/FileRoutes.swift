/// Routes of files: pictures, user data, models, the front end.
func addFileRoutes(to routes: inout RouteTable, _ server: ServerContext) {}
