import JSON

/// Naming the values of node types that nothing is known about.
enum GuessedWidgets {
    /// Pairs saved values with widget names, if they come out even and every value is of its widget's type. Control
    /// values behind whole numbers and combos are skipped, and what buttons and displays leave at the end.
    static func assign(_ values: [JSON], to widgets: [ShapeCatalogue.Widget]) -> [(name: String, value: JSON)]? {
        if widgets.isEmpty { return values.allSatisfy(isLeftover) ? [] : nil }
        return pair(values, widgets, skippingControls: true) ?? pair(values, widgets, skippingControls: false)
    }

    private static func pair(
        _ values: [JSON], _ widgets: [ShapeCatalogue.Widget], skippingControls: Bool
    ) -> [(name: String, value: JSON)]? {
        var result: [(name: String, value: JSON)] = []
        var position = 0
        for widget in widgets {
            guard position < values.count, fits(values[position], widget.type) else { return nil }
            result.append((widget.name, values[position]))
            position += 1
            guard skippingControls, position < values.count, case .string(let word) = values[position],
                ControlWord.isOne(word), widget.type == "INT" || widget.type == "COMBO"
            else { continue }
            position += 1
        }
        return values[position...].allSatisfy(isLeftover) ? result : nil
    }

    /// Whether a widget of a type can hold a value.
    private static func fits(_ value: JSON, _ type: String) -> Bool {
        switch (type, value) {
        case (_, .null): true
        case ("INT", _), ("FLOAT", _): value.doubleValue != nil
        case ("BOOLEAN", _): value.boolValue != nil
        case ("STRING", _): value.stringValue != nil
        default: true
        }
    }

    /// Whether a value is what buttons and displays leave. An empty text is not: it may be a widget without a name, and
    /// then all the others would stand one place off.
    private static func isLeftover(_ value: JSON) -> Bool {
        switch value {
        case .null, .array, .object: true
        default: false
        }
    }

    /// Whether values say nothing that would be missed.
    static func areBlank(_ values: [JSON]) -> Bool { values.allSatisfy { isLeftover($0) || $0 == .string("") } }
}
