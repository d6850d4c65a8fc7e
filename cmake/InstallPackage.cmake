# Installs irmb_dnn with its headers and a CMake package, and the programs vigil and vigil-gui with
# their model.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/irmb_dnn)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/irmb_dnnConfig.cmake.in
    ${PROJECT_BINARY_DIR}/irmb_dnnConfig.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/irmb_dnnConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)

install(TARGETS irmb_dnn EXPORT irmb_dnnTargets)
install(EXPORT irmb_dnnTargets NAMESPACE irmb_dnn:: DESTINATION ${package_dir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/dnn_layers/include/ TYPE INCLUDE)
install(FILES
    ${PROJECT_BINARY_DIR}/irmb_dnnConfig.cmake
    ${PROJECT_BINARY_DIR}/irmb_dnnConfigVersion.cmake
    ${CMAKE_CURRENT_LIST_DIR}/Findonednn.cmake
    DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE
    DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(TARGET vigil)
    install(TARGETS vigil)
    install(FILES ${PROJECT_SOURCE_DIR}/resources/models/yolov10n-irmb-street.onnx
        DESTINATION ${CMAKE_INSTALL_DATADIR}/vigil/models)
endif()

if(TARGET vigil-gui)
    install(TARGETS vigil-gui)
    install(FILES ${PROJECT_SOURCE_DIR}/resources/vigil-gui.desktop
        DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
    install(FILES ${PROJECT_SOURCE_DIR}/resources/icons/vigil.svg
        DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
endif()
