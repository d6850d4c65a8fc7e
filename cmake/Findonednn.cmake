# oneDNN 2.6 or newer in a build that runs on OpenMP, as distributions ship it, with OpenMP for our own
# code beside it. Its own CMake package asks for OpenCL, which is not needed here.
find_path(ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(ONEDNN_LIBRARY dnnl)
find_package(OpenMP QUIET COMPONENTS CXX)

set(onednn_version_ok OFF)
if(ONEDNN_INCLUDE_DIR)
    file(STRINGS ${ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h onednn_numbers
        REGEX "define DNNL_VERSION_(MAJOR|MINOR) ")
    string(REGEX REPLACE "[^0-9]+([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2" onednn_VERSION
        "${onednn_numbers}")
    file(STRINGS ${ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_config.h onednn_runtime
        REGEX "define DNNL_CPU_THREADING_RUNTIME DNNL_RUNTIME_OMP")
    if(onednn_VERSION VERSION_GREATER_EQUAL 2.6 AND onednn_runtime)
        set(onednn_version_ok ON)
    endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(onednn
    REQUIRED_VARS ONEDNN_LIBRARY ONEDNN_INCLUDE_DIR OpenMP_CXX_FOUND onednn_version_ok
    VERSION_VAR onednn_VERSION
    REASON_FAILURE_MESSAGE "install libdnnl-dev for faster inference on the CPU")
if(onednn_FOUND AND NOT TARGET onednn::onednn)
    add_library(onednn::onednn UNKNOWN IMPORTED)
    set_target_properties(onednn::onednn PROPERTIES
        IMPORTED_LOCATION ${ONEDNN_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${ONEDNN_INCLUDE_DIR})
    target_link_libraries(onednn::onednn INTERFACE OpenMP::OpenMP_CXX)
endif()
