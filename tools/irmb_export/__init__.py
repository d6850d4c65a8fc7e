"""iRMB in PyTorch, its export to ONNX, and the golden vectors that the C++ tests compare with."""
