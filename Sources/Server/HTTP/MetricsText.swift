import Engine

/// `/metrics` in the text format of Prometheus.
enum MetricsText {
    static func text(
        _ server: ServerContext, _ queue: (waiting: Int, running: Int), _ history: (count: Int, bytes: Int),
        engine: GraphEngine?
    ) -> String {
        var lines: [String] = []
        func metric(_ name: String, _ type: String, _ help: String, _ values: [(labels: String, value: String)]) {
            lines.append("# HELP graphrun_\(name) \(help)")
            lines.append("# TYPE graphrun_\(name) \(type)")
            for (labels, value) in values { lines.append("graphrun_\(name)\(labels) \(value)") }
        }
        func histogram(_ name: String, _ help: String, _ histogram: ServerMetrics.Histogram) {
            var values: [(labels: String, value: String)] = []
            var total = 0
            for (index, count) in histogram.counts.enumerated() {
                total += count
                let bound = index < ServerMetrics.bounds.count ? "\(ServerMetrics.bounds[index])" : "+Inf"
                values.append(("_bucket{le=\"\(bound)\"}", String(total)))
            }
            values.append(("_sum", "\(histogram.sum)"))
            values.append(("_count", String(total)))
            metric(name, "histogram", help, values)
        }
        func gauge(_ name: String, _ help: String, _ value: Int) { metric(name, "gauge", help, [("", String(value))]) }
        func labelled(_ name: String, _ counts: [String: Int]) -> [(labels: String, value: String)] {
            counts.sorted { $0.key < $1.key }.map { ("{\(name)=\"\($0.key)\"}", String($0.value)) }
        }

        let counts = server.metrics.counts
        metric(
            "http_requests_total", "counter", "Requests by route and status.",
            counts.requests.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }.map {
                ("{route=\"\($0.key.route)\",status=\"\($0.key.status)\"}", String($0.value))
            })
        histogram("http_request_duration_seconds", "From a request's head to the head of its answer.", counts.durations)
        gauge("queue_waiting", "Prompts that wait.", queue.waiting)
        gauge("queue_running", "Prompts that run.", queue.running)
        metric(
            "prompts_total", "counter", "Prompts that have ended, by outcome.", labelled("outcome", counts.prompts))
        histogram("prompt_duration_seconds", "How long prompts ran.", counts.promptDurations)
        gauge("history_entries", "Prompts in the history.", history.count)
        gauge("history_bytes", "Bytes of the history.", history.bytes)
        gauge("sockets", "Open WebSockets.", server.sockets.count)
        metric("socket_messages_total", "counter", "Messages sent to sockets.", [("", String(counts.sent))])
        metric(
            "socket_messages_merged_total", "counter", "Messages that gave way to newer ones for slow clients.",
            [("", String(counts.merged))])
        metric("webhooks_total", "counter", "Announcements, by outcome.", labelled("outcome", counts.webhooks))
        if let cache = engine?.cache.statistics {
            gauge("cache_results", "Results and models kept in memory.", cache.entries)
            gauge("cache_bytes", "Bytes of them.", cache.byteCount)
            gauge("cache_models", "Models among them.", cache.models)
            metric("cache_evictions_total", "counter", "Results that had to go.", [("", String(cache.evictions))])
        }
        gauge("memory_available_bytes", "Memory that could still be taken.", AvailableMemory.bytes())
        return lines.joined(separator: "\n") + "\n"
    }
}
