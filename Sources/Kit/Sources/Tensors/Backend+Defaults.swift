extension Backend {
    /// A linear layer on one input.
    public func linear(
        _ x: Tensor, _ weight: LinearWeight, _ epilogue: LinearEpilogue = LinearEpilogue()
    ) throws(TensorError) -> Tensor {
        try linear([x], weight, epilogue)
    }

    /// With operands as they are, which is always right.
    public func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation,
        operands: ResultType
    ) throws(TensorError) -> Tensor {
        try convolution(x, kernel: kernel, bias: bias, stride: stride, padding: padding, activation: activation)
    }

    /// By way of relu(x) + slopes · (x − relu(x)).
    public func parametricRelu(_ x: Tensor, slopes: Tensor) throws(TensorError) -> Tensor {
        let positive = try activate(x, .relu, result: .full)
        let negative = try add(x, multiply(positive, place(Tensor.full([1], -1))))
        return try add(positive, multiply(negative, slopes))
    }

    /// Memory of the host is the backend's memory.
    public func place(_ x: Tensor) throws(TensorError) -> Tensor { x }
    public func host(_ x: Tensor) throws(TensorError) -> Tensor { try x.asFloat32() }
    public func contiguous(_ x: Tensor) throws(TensorError) -> Tensor { try x.asFloat32() }

    /// x + gate · y, the gate `[batch, width]` broadcast over the tokens.
    public func addGated(_ x: Tensor, gate: Tensor, _ y: Tensor) throws(TensorError) -> Tensor {
        let wide = try contiguous(gate).reshaped([gate.shape[0], 1, gate.shape[1]])
        return try add(x, multiply(y, wide))
    }
}
