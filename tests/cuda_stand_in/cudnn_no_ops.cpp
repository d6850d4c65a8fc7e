/// Functions of cuDNN that OpenCV calls for their effect alone. Compiled without its header:
/// arguments are not read, and status 0 is success.
#define STAND_IN_NO_OP(name)                                                                       \
    extern "C" int name() {                                                                        \
        return 0;                                                                                  \
    }

STAND_IN_NO_OP(cudnnConvolutionBackwardData)
STAND_IN_NO_OP(cudnnConvolutionBiasActivationForward)
STAND_IN_NO_OP(cudnnConvolutionForward)
STAND_IN_NO_OP(cudnnDivisiveNormalizationForward)
STAND_IN_NO_OP(cudnnLRNCrossChannelForward)
STAND_IN_NO_OP(cudnnPoolingForward)
STAND_IN_NO_OP(cudnnRNNForward)
STAND_IN_NO_OP(cudnnSetActivationDescriptor)
STAND_IN_NO_OP(cudnnSetConvolution2dDescriptor)
STAND_IN_NO_OP(cudnnSetConvolutionGroupCount)
STAND_IN_NO_OP(cudnnSetConvolutionMathType)
STAND_IN_NO_OP(cudnnSetConvolutionNdDescriptor)
STAND_IN_NO_OP(cudnnSetDropoutDescriptor)
STAND_IN_NO_OP(cudnnSetFilter4dDescriptor)
STAND_IN_NO_OP(cudnnSetFilterNdDescriptor)
STAND_IN_NO_OP(cudnnSetLRNDescriptor)
STAND_IN_NO_OP(cudnnSetPooling2dDescriptor)
STAND_IN_NO_OP(cudnnSetPoolingNdDescriptor)
STAND_IN_NO_OP(cudnnSetRNNDataDescriptor)
STAND_IN_NO_OP(cudnnSetRNNDescriptor_v8)
STAND_IN_NO_OP(cudnnSetStream)
STAND_IN_NO_OP(cudnnSetTensor4dDescriptor)
STAND_IN_NO_OP(cudnnSetTensorNdDescriptor)
STAND_IN_NO_OP(cudnnSetTensorTransformDescriptor)
STAND_IN_NO_OP(cudnnSoftmaxForward)
STAND_IN_NO_OP(cudnnTransformTensorEx)
