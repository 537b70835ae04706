# What `cmake --install` puts down: library, headers, command, strata.pc and a package for find_package(Strata).
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Strata)

install(TARGETS strata EXPORT StrataTargets)
if(TARGET command)
    install(TARGETS command)
endif()
install(DIRECTORY include/strata DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)

if(BUILD_SHARED_LIBS)
    set(static_packages "")
    set(static_libraries "")
else()
    # A static libstrata leaves its libraries to whoever links it.
    install(TARGETS hdf5-c EXPORT StrataTargets)
    file(READ cmake/static-packages.cmake static_packages)
    list(JOIN HDF5_C_LIBRARIES " " hdf5_libraries)
    list(JOIN MPI_C_LIBRARIES " " mpi_libraries)
    set(static_libraries
        "-lclblast -lOpenCL -ljansson -lzip -lz -lhwloc ${hdf5_libraries} ${mpi_libraries} -lpthread -lm")
endif()

install(EXPORT StrataTargets NAMESPACE Strata:: DESTINATION ${package_folder})
configure_package_config_file(cmake/StrataConfig.cmake.in ${PROJECT_BINARY_DIR}/StrataConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/StrataConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/StrataConfig.cmake ${PROJECT_BINARY_DIR}/StrataConfigVersion.cmake
        DESTINATION ${package_folder})

configure_file(cmake/strata.pc.in ${PROJECT_BINARY_DIR}/strata.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/strata.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
