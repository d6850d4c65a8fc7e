/// Functions of cuDNN that OpenCV calls for their effect alone. Compiled without its header:
/// arguments are not read, and status 0 is success.
#define STAND_IN_NO_OP(name)                                                                       \
    extern "C" int name() {                                                                        \
        return 0;                                                                                  \
    }

/// Functions of which a result would be wanted: refused, that is, not 0.
#define STAND_IN_REFUSAL(name)                                                                     \
    extern "C" int name() {                                                                        \
        return 1;                                                                                  \
    }

STAND_IN_NO_OP(cudnnSetConvolutionMathType)
STAND_IN_NO_OP(cudnnSetDropoutDescriptor)
STAND_IN_NO_OP(cudnnSetLRNDescriptor)
STAND_IN_NO_OP(cudnnSetRNNDataDescriptor)
STAND_IN_NO_OP(cudnnSetRNNDescriptor_v8)
STAND_IN_NO_OP(cudnnSetStream)
STAND_IN_NO_OP(cudnnSetTensorTransformDescriptor)

STAND_IN_REFUSAL(cudnnConvolutionBackwardData)
STAND_IN_REFUSAL(cudnnDivisiveNormalizationForward)
STAND_IN_REFUSAL(cudnnLRNCrossChannelForward)
STAND_IN_REFUSAL(cudnnRNNForward)
STAND_IN_REFUSAL(cudnnSetConvolutionNdDescriptor)
STAND_IN_REFUSAL(cudnnSetFilterNdDescriptor)
STAND_IN_REFUSAL(cudnnSetPoolingNdDescriptor)
STAND_IN_REFUSAL(cudnnTransformTensorEx)
