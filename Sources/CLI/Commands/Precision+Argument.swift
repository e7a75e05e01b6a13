public import ArgumentParser

extension Precision: ExpressibleByArgument {}
